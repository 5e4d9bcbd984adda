"""``pairup.yaml``: whom to bring together, how often, and in groups of how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lakeflow_teams.deliver.broadcast.audience import FLAGS, PEOPLE, Audience, AudienceReader
from lakeflow_teams.deliver.broadcast.card_file import read_card
from lakeflow_teams.deliver.broadcast.document import ON_UNKNOWN
from lakeflow_teams.deliver.pairup.period import EVERY
from lakeflow_teams.deliver.yaml_file import refuse

_KEYS = (
    "name",
    "recipients",
    "every",
    "size",
    "timezone",
    "card",
    "summary",
    "install",
    "app",
    "on_unknown",
    "max_failures",
    "card_signing_key_file",
    *FLAGS,
)


@dataclass(frozen=True)
class PairUpSpec:
    """A checked ``pairup.yaml``."""

    name: str
    audience: Audience
    every: str
    size: int
    timezone: ZoneInfo
    #: None: ours.
    card: dict[str, Any] | None
    card_place: str
    summary: str | None
    install: bool
    app: str | None
    on_unknown: str
    max_failures: int | None
    card_signing_key_file: Path | None
    place: str


def load(plan: str | PathLike[str] | Mapping[str, Any]) -> PairUpSpec:
    """Reads a pair-up from its file or a mapping. Raises :class:`ConfigurationError`."""
    reader, document = _Reader.of(plan, "pairup")
    return reader.spec(document)


class _Reader(AudienceReader):
    def spec(self, given: Any) -> PairUpSpec:
        if not isinstance(given, dict):
            refuse(f"{self.where}: a mapping with `name` and `recipients` is expected")
        self.known("", given, _KEYS)
        name = self.text("name", given.get("name"))
        if name is None:
            self.refuse("name", "a text is expected: history and pauses are kept by it")
        card, place = (None, "card") if given.get("card") is None else read_card(self, given["card"])
        return PairUpSpec(
            name=name,
            audience=self.audience(given, PEOPLE),
            every=self.word("every", given.get("every"), EVERY),
            size=self._size(given.get("size")),
            timezone=self._timezone(given.get("timezone")),
            card=card,
            card_place=place,
            summary=self.text("summary", given.get("summary")),
            install=self.flag("install", given.get("install")),
            app=self.text("app", given.get("app")),
            on_unknown=self.word("on_unknown", given.get("on_unknown"), ON_UNKNOWN),
            max_failures=self.count("max_failures", given.get("max_failures")),
            card_signing_key_file=self.file("card_signing_key_file", given.get("card_signing_key_file")),
            place=self.where,
        )

    def _size(self, given: Any) -> int:
        size = self.count("size", given) or 2
        if size < 2:
            self.refuse("size", f"{size} is too small: a group has two people or more")
        return size

    def _timezone(self, given: Any) -> ZoneInfo:
        name = self.text("timezone", given) or "UTC"
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.refuse("timezone", f"{name!r} is no time zone such as Europe/Amsterdam")
