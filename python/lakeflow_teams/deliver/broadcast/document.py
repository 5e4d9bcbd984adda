"""``broadcast.yaml``: to whom, what, and how. Every mistake is one line with the key, its line, and the remedy."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.yaml_file import Reader, parse, refuse

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
    "include_guests",
    "include_unlicensed",
)
_RECIPIENTS = (
    "users",
    "team_members",
    "group_members",
    "everyone",
    "channels",
    "webhooks",
    "table",
    "include_guests",
    "include_unlicensed",
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Webhook:
    """A channel behind a workflow. The address is a secret, so that it stands in the environment or in a file."""

    name: str
    url_env: str | None = None
    url_file: Path | None = None

    def address(self) -> str:
        """Raises :class:`ConfigurationError` where it cannot be read."""
        if self.url_env is not None:
            found = os.environ.get(self.url_env, "").strip()
            return found or refuse(f"recipients.webhooks {self.name}: the environment variable {self.url_env} is not set")
        try:
            return Path(self.url_file or "").read_text(encoding="utf-8").strip()
        except OSError as error:
            refuse(f"recipients.webhooks {self.name}: {self.url_file} cannot be read: {error.strerror or error}")


@dataclass(frozen=True)
class Audience:
    """Who gets it. ``table`` has a column ``user_id`` and any columns for the card."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    everyone: bool = False
    channels: tuple[str, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    table: Path | None = None
    include_guests: bool = False
    include_unlicensed: bool = False

    @property
    def only_table(self) -> bool:
        """Whether nobody else is named."""
        return not (self.users or self.teams or self.groups or self.everyone or self.channels or self.webhooks)


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
    place: str = field(default="broadcast")


def load(plan: str | PathLike[str] | Mapping[str, Any]) -> BroadcastSpec:
    """Reads a broadcast from its file or a mapping. Raises :class:`ConfigurationError`."""
    if isinstance(plan, Mapping):
        return _Reader("broadcast", Path(), {}).spec(dict(plan))
    path = Path(plan)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        refuse(f"{path}: it cannot be read ({reason})")
    document, lines = parse(path, text)
    return _Reader(str(path), path.parent, lines).spec(document)


class _Reader(Reader):
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
        card, place = self._card(given.get("card"))
        return BroadcastSpec(
            name=name.strip(),
            audience=self._audience(given),
            card=card,
            card_place=place,
            summary=self._text("summary", given.get("summary")),
            install=self._flag("install", given.get("install")),
            app=self._text("app", given.get("app")),
            on_unknown=self.word("on_unknown", given.get("on_unknown"), ON_UNKNOWN),
            not_before=begin,
            not_after=end,
            max_failures=self._count("max_failures", given.get("max_failures")),
            place=self.where,
        )

    def _card(self, given: Any) -> tuple[dict[str, Any], str]:
        if isinstance(given, dict):
            return given, "card"
        if not isinstance(given, str):
            self.refuse("card", "the path of a JSON file with an Adaptive Card is expected")
        path = self.folder / given
        try:
            card = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            self.refuse("card", f"{path} cannot be read: {error.strerror or error}")
        except ValueError as error:
            self.refuse("card", f"{path} is no JSON: {error}")
        if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
            self.refuse("card", f'{path} is no Adaptive Card: its type is not "AdaptiveCard"')
        return card, str(path)

    def _audience(self, given: dict[str, Any]) -> Audience:
        recipients = given.get("recipients")
        if not isinstance(recipients, dict) or not recipients:
            self.refuse("recipients", f"a mapping with any of {', '.join(_RECIPIENTS[:7])} is expected")
        self.known("recipients.", recipients, _RECIPIENTS)
        table = recipients.get("table")
        if table is not None and not isinstance(table, str):
            self.refuse("recipients.table", "the path of a CSV, Parquet, JSON lines or Delta table is expected")

        def flag(key: str) -> bool:
            inner = key in recipients
            return self._flag(f"recipients.{key}" if inner else key, (recipients if inner else given).get(key))

        audience = Audience(
            users=self._list("recipients.users", recipients.get("users"), self._user),
            teams=self._list("recipients.team_members", recipients.get("team_members"), self._guid),
            groups=self._list("recipients.group_members", recipients.get("group_members"), self._guid),
            everyone=self._flag("recipients.everyone", recipients.get("everyone")),
            channels=self._list("recipients.channels", recipients.get("channels"), self._channel),
            webhooks=self._webhooks(recipients.get("webhooks")),
            table=None if table is None else self.folder / table,
            include_guests=flag("include_guests"),
            include_unlicensed=flag("include_unlicensed"),
        )
        if audience.only_table and audience.table is None:
            self.refuse("recipients", "nobody is named")
        return audience

    def _list(self, key: str, given: Any, check: Any) -> tuple[str, ...]:
        if given is None:
            return ()
        items = [given] if isinstance(given, str) else given
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.refuse(key, "a text or a list of texts is expected")
        return tuple(check(key, item.strip()) for item in items)

    def _webhooks(self, given: Any) -> tuple[Webhook, ...]:
        key = "recipients.webhooks"
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self.refuse(key, "a list of mappings with name and url_env or url_file is expected")
        found = []
        for one in given:
            self.known(f"{key}.", one, ("name", "url_env", "url_file"))
            name, env, file = (one.get(part) for part in ("name", "url_env", "url_file"))
            if not isinstance(name, str) or not name.strip() or (env is None) == (file is None):
                self.refuse(key, "each has a name, and either url_env or url_file: the address is a secret")
            found.append(Webhook(name.strip(), env, None if file is None else self.folder / str(file)))
        return tuple(found)

    def _user(self, key: str, text: str) -> str:
        if not _GUID.fullmatch(text) and "@" not in text:
            self.refuse(key, f"{text!r} is neither the object id of a user nor a user principal name")
        return text if "@" in text else text.lower()

    def _guid(self, key: str, text: str) -> str:
        if not _GUID.fullmatch(text):
            self.refuse(key, f"{text!r} is no id: it is a GUID")
        return text.lower()

    def _channel(self, key: str, text: str) -> str:
        if not text.rsplit("/", 1)[-1].startswith("19:"):
            self.refuse(key, f"{text!r} is no channel's id: it begins with 19:")
        return text

    def _text(self, key: str, given: Any) -> str | None:
        if given is None:
            return None
        if not isinstance(given, str) or not given.strip():
            self.refuse(key, "a text is expected")
        return given.strip()

    def _flag(self, key: str, given: Any) -> bool:
        if given is None:
            return False
        if not isinstance(given, bool):
            self.refuse(key, f"{given!r} is neither true nor false")
        return given

    def _count(self, key: str, given: Any) -> int | None:
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            self.refuse(key, f"{given!r} is no whole number of at least 1")
        return given
