"""``broadcast.yaml``: to whom, what, and how. Every mistake is one line with the key, its line, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.broadcast.audience import FLAGS, Audience, AudienceReader
from lakeflow_teams.deliver.broadcast.card_file import read_card
from lakeflow_teams.deliver.yaml_file import refuse

ON_UNKNOWN = ("skip", "resend", "reconcile")
_KEYS = (
    "name",
    "recipients",
    "card",
    "summary",
    "install",
    "app",
    "on_unknown",
    "schedule",
    "max_failures",
    "card_signing_key_file",
    *FLAGS,
)


@dataclass(frozen=True)
class BroadcastSpec:
    """A checked ``broadcast.yaml``."""

    name: str
    audience: Audience
    card: dict[str, Any]
    #: Where the card was read from, for messages.
    card_place: str
    summary: str | None = None
    install: bool = False
    app: str | None = None
    on_unknown: str = "skip"
    not_before: datetime | None = None
    not_after: datetime | None = None
    max_failures: int | None = None
    #: None: the bot's of the target.
    card_signing_key_file: Path | None = None
    place: str = field(default="broadcast")


def load(plan: str | PathLike[str] | Mapping[str, Any]) -> BroadcastSpec:
    """Reads a broadcast from its file or a mapping. Raises :class:`ConfigurationError`."""
    reader, document = _Reader.of(plan, "broadcast")
    return reader.spec(document)


class _Reader(AudienceReader):
    def spec(self, given: Any) -> BroadcastSpec:
        if not isinstance(given, dict):
            refuse(f"{self.where}: a mapping with `name`, `recipients` and `card` is expected")
        self.known("", given, _KEYS)
        name = given.get("name")
        if not isinstance(name, str) or not name.strip():
            self.refuse("name", "a text is expected: it is the key of the run, which running it again goes on with")
        schedule = given.get("schedule") or {}
        if not isinstance(schedule, dict):
            self.refuse("schedule", "a mapping with not_before and not_after is expected")
        self.known("schedule.", schedule, ("not_before", "not_after"))
        begin, end = (self.time(f"schedule.{key}", schedule.get(key)) for key in ("not_before", "not_after"))
        if begin and end and begin >= end:
            self.refuse("schedule", "not_before comes after not_after, so that nothing could be sent")
        card, place = read_card(self, given.get("card"))
        return BroadcastSpec(
            name=name.strip(),
            audience=self.audience(given),
            card=card,
            card_place=place,
            summary=self.text("summary", given.get("summary")),
            install=self.flag("install", given.get("install")),
            app=self.text("app", given.get("app")),
            on_unknown=self.word("on_unknown", given.get("on_unknown"), ON_UNKNOWN),
            not_before=begin,
            not_after=end,
            max_failures=self.count("max_failures", given.get("max_failures")),
            card_signing_key_file=self.file("card_signing_key_file", given.get("card_signing_key_file")),
            place=self.where,
        )
