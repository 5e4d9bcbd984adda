"""Where an import keeps its state: ``<target>/_import/<name>``, with the staged posts and the journal.

A staging is a folder of its own. When the source or a mapping changes it is made anew, takes over what was sent, and takes
the place of the older one in one step.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.deliver.files import alone, replace

FOLDER = "_import"
_CURRENT = "current"


class Workspace:
    """The state of one import."""

    def __init__(self, target: Path, name: str) -> None:
        self.root = target / FOLDER / name

    def alone(self) -> AbstractContextManager[None]:
        """One process at a time."""
        return alone(self.root, "import")

    @property
    def run(self) -> str:
        """What tells this import's teams and channels from others while they are made."""
        path = self.root / "run"
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            run = secrets.token_hex(6)
            replace(path, run)
            return run

    def run_if_known(self) -> str:
        """The same without writing anything."""
        return _read(self.root / "run") or "check"

    @property
    def staged(self) -> Path | None:
        """The folder of the staging that counts."""
        try:
            name = (self.root / _CURRENT).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return self.root / name

    def is_staged(self, fingerprint: str) -> bool:
        """Whether the staging is of this very source and plan."""
        folder = self.staged
        return folder is not None and _read(folder / "fingerprint") == fingerprint

    def stage(self, plan: dict[str, Any], batches: Iterator[Any], fingerprint: str) -> Path:
        """Stages a source, and takes over what an earlier staging sent."""
        before = self.staged
        number = int(before.name.split("-")[1]) + 1 if before else 1
        folder = self.root / f"stage-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text = json.dumps(plan, ensure_ascii=False)
        (folder / "plan.json").write_text(text, encoding="utf-8")
        counts = _core.stage_import(text, batches, folder)
        (folder / "stage.json").write_text(counts, encoding="utf-8")
        (folder / "fingerprint").write_text(fingerprint, encoding="ascii")
        if before is not None:
            _core.rebase_import(before, folder)
        replace(self.root / _CURRENT, folder.name)
        for other in self.root.glob("stage-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return folder


def all_staged(target: Path) -> list[Path]:
    """The stagings of all imports into a target."""
    found = (Workspace(target, folder.name).staged for folder in sorted((target / FOLDER).glob("*")) if folder.is_dir())
    return [folder for folder in found if folder is not None]


def fingerprint(plan: dict[str, Any], source: Path) -> str:
    """Changes with the plan and with the source's files."""
    digest = sha256(json.dumps(plan, sort_keys=True, ensure_ascii=False).encode())
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    for file in files:
        if file.is_file():
            stat = file.stat()
            digest.update(
                f"{file.relative_to(source.parent)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode(errors="surrogateescape")
            )
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None
