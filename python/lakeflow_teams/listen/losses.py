"""What only polling found: a line for each poll in ``_listen/losses.jsonl``, which several processes append to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lakeflow_teams.results.summary import DestinationSummary

_FILE = "losses.jsonl"


@dataclass(frozen=True)
class Poll:
    """One poll: why it was made, by Graph's clock when, and which rows it found that no notification had brought.

    ``missing`` rows were not stored, ``changed`` ones were stored in an older version, ``gone`` ones are not in Graph any
    more and nothing had told so; each by destination. The first poll of a destination counts nothing: it finds what was
    there before.
    """

    reason: str
    at: str
    whole: bool = False
    missing: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> int:
        """How many rows that are."""
        return sum(sum(each.values()) for each in (self.missing, self.changed, self.gone))


def count(lines: Iterable[DestinationSummary], counted: Mapping[str, bool], **about: Any) -> Poll:
    """A poll from what its reading did.

    ``counted`` are the destinations whose rows count, and whether they have versions: without, an update may be what
    notifications leave out, such as the name of a member.
    """
    missing, changed, gone, errors = {}, {}, {}, {}
    for line in lines:
        if line.error:
            errors[line.destination] = line.error
        if line.destination not in counted:
            continue
        if line.inserts:
            missing[line.destination] = line.inserts
        if line.updates and counted[line.destination]:
            changed[line.destination] = line.updates
        if line.deletes > line.confirmed:
            gone[line.destination] = line.deletes - line.confirmed
    return Poll(missing=missing, changed=changed, gone=gone, errors=errors, **about)


def add(folder: Path, poll: Poll) -> None:
    """Appends a poll. A line is written at once, so that two processes do not mix theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(poll), separators=(",", ":")) + "\n")


def polls(folder: Path) -> list[Poll]:
    """All polls so far, oldest first; a line that was cut off by a kill is left out."""
    try:
        text = (folder / _FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(Poll(**json.loads(line)))
        except (ValueError, TypeError):  # noqa: PERF203
            continue
    return found
