"""Where a broadcast keeps its state: ``<target>/_deliver/<name>``, with the frozen recipients and the journal."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.files import alone, replace

FOLDER = "_deliver"
_FROZEN = "broadcast.json"


class Workspace:
    """The state of one broadcast."""

    def __init__(self, target: Path, name: str) -> None:
        self.root = target / FOLDER / folder_of(name)

    def alone(self) -> AbstractContextManager[None]:
        """One process at a time."""
        return alone(self.root, "broadcast")

    @property
    def frozen(self) -> dict[str, Any] | None:
        """What was frozen: name, run, queued_at, card, recipients; nothing before the first run."""
        try:
            frozen: dict[str, Any] = json.loads((self.root / _FROZEN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return frozen

    def freeze(self, frozen: dict[str, Any]) -> None:
        """Notes that the recipients are frozen. From here on the broadcast exists."""
        replace(self.root / _FROZEN, json.dumps(frozen, ensure_ascii=False))

    def plan(self, plan: dict[str, Any]) -> None:
        """What the next step follows."""
        replace(self.root / "plan.json", json.dumps(plan, ensure_ascii=False))

    def conversations(self, rows: Iterator[tuple[str, str, str]]) -> None:
        """Conversations that are known: recipient, conversation and service URL."""
        with (self.root / "conversations.jsonl").open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")

    def remove(self) -> None:
        """Forgets the broadcast."""
        shutil.rmtree(self.root)


def new_run() -> str:
    """What tells the messages of a broadcast from others."""
    return secrets.token_hex(6)


def all_frozen(target: Path) -> list[Path]:
    """The folders of all broadcasts of a target."""
    return [file.parent for file in sorted((target / FOLDER).glob(f"*/{_FROZEN}"))]


def folder_of(name: str) -> str:
    """A folder's name for any name: names that differ have folders that differ."""
    plain = re.sub(r"[^\w-]", "_", name)[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
