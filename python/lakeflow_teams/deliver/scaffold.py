"""What ``import init`` writes: ``import.yaml``, and the two CSV files that people fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._templates import render
from lakeflow_teams.deliver.document import FORMATS, ImportSpec, guess
from lakeflow_teams.deliver.entry import Mapped, mapped
from lakeflow_teams.deliver.mapping import MappedUser, write_channels, write_users
from lakeflow_teams.deliver.sources.model import SourceError
from lakeflow_teams.deliver.sources.registry import open_source
from lakeflow_teams.deliver.yaml_file import refuse

FILES = ("users.csv", "channels.csv")


def init(source: Path, to: Path, kind: str | None, client: _core.Client | None, *, force: bool = False) -> dict[str, Any]:
    """Writes the three files beside each other, filled as far as can be known. Raises :class:`ConfigurationError`."""
    found_kind = kind or guess(source)
    if found_kind not in FORMATS:
        refuse(f"--format: {found_kind!r} is not one of {', '.join(FORMATS)}")
    files = [to, *(to.with_name(name) for name in FILES)]
    for file in files:
        if file.exists() and not force:
            refuse(f"{file}: it exists already; name another with --to, or overwrite it with --force")
    try:
        has_teams = any(row["team"] for row in open_source(found_kind, source, {}).containers().to_pylist())
        name = None if has_teams else "Imported"
        found = mapped(ImportSpec(name="import", source=source, format=found_kind, options={}, team_name=name), client)
    except SourceError as error:
        refuse(str(error))
    rows = []
    for row, one in zip(found.containers.rows, found.containers.plan, strict=True):
        # What only the plan's own options keep out is imported once they are filled in.
        rows.append(row._replace(action="skip" if one["refused"] and one["refused"]["code"] == "self" else "import"))
    to.parent.mkdir(parents=True, exist_ok=True)
    write_users(files[1], [*found.people.rows, *_others(found)])
    write_channels(files[2], [row._replace(team=None if row.team == name else row.team) for row in rows])
    named = len([one for one in found.people.plan.values() if one["id"]])
    text = render(
        "import.yaml",
        source=str(source.absolute()),
        format=found_kind,
        team=name,
        unmapped=len(found.people.unmapped),
        private=any(one["kind"] in ("private", "shared") for one in found.containers.plan),
    )
    to.write_text(text, encoding="utf-8")
    return {
        "files": [str(file) for file in files],
        "containers": len(rows),
        "users": len(found.people.plan),
        "with_account": named,
        "problems": [str(problem) for problem in [*found.problems, *found.source.problems]],
    }


def _others(found: Mapped) -> list[MappedUser]:
    """Authors who are in no list of the source, by the name that stands at their messages."""
    names: dict[str, str | None] = {}
    for batch in found.source.messages():
        rows = zip(batch.column("author").to_pylist(), batch.column("author_name").to_pylist(), strict=True)
        for author, name in rows:
            if author and author not in found.people.plan:
                names[author] = names.get(author) or name
    return [MappedUser(author, None, name) for author, name in sorted(names.items())]
