"""The rounds of a pair-up as they were formed: ``<target>/_pairup/<name>/<round>.json``; beside it, who is told of whom."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.broadcast.workspace import folder_of
from lakeflow_teams.deliver.files import alone, replace
from lakeflow_teams.deliver.pairup.period import begins

FOLDER = "_pairup"


@dataclass(frozen=True)
class Person:
    """Somebody whom a pair-up names. Whoever is in no group has a state that says why."""

    id: str
    name: str | None = None
    user_principal_name: str | None = None
    state: str = "queued"
    why: str = ""

    @property
    def shown(self) -> str:
        """What others are told."""
        return self.name or self.user_principal_name or self.id


@dataclass(frozen=True)
class Round:
    """The groups of a week or month."""

    name: str
    formed_at: int
    """Milliseconds since 1970."""
    people: tuple[Person, ...]
    groups: tuple[tuple[str, ...], ...]
    repeats: int
    """Pairs that met before."""


class Rounds:
    """What is on disk of a pair-up."""

    def __init__(self, target: Path, name: str) -> None:
        self._root = target / FOLDER / folder_of(name)

    def alone(self) -> AbstractContextManager[None]:
        """One process at a time."""
        return alone(self._root, "pair-up")

    def names(self) -> list[str]:
        """The rounds that were formed, the oldest first."""
        return sorted((file.stem for file in self._root.glob("*.json")), key=begins)

    def load(self, name: str) -> Round:
        """A round that was formed."""
        held: dict[str, Any] = json.loads((self._root / f"{name}.json").read_text(encoding="utf-8"))
        people = tuple(Person(**one) for one in held.pop("people"))
        groups = tuple(tuple(group) for group in held.pop("groups"))
        return Round(people=people, groups=groups, **held)

    def keep(self, formed: Round, invitations: Iterable[dict[str, Any]]) -> None:
        """Writes a round down, and whom each person is told of."""
        self._root.mkdir(parents=True, exist_ok=True)
        write_invitations(self.invitations(formed.name), invitations)
        replace(self._root / f"{formed.name}.json", json.dumps(asdict(formed), ensure_ascii=False))

    def invitations(self, name: str) -> Path:
        """The table of recipients of a round's cards."""
        return self._root / f"{name}.jsonl"


def write_invitations(path: Path, invitations: Iterable[dict[str, Any]]) -> None:
    """Writes the table of recipients of a round's cards."""
    replace(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in invitations))
