"""Whom a job goes to, as its file names them: people, teams, groups, everyone, channels, workflows, or a table."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.yaml_file import Reader, refuse

#: Kinds of recipients who are people.
PEOPLE = ("users", "team_members", "group_members", "everyone", "table")
KINDS = (*PEOPLE, "channels", "webhooks")
#: Flags of recipients, which may stand beside them too.
FLAGS = ("include_guests", "include_unlicensed")
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


class AudienceReader(Reader):
    """Reads the recipients of a document."""

    def audience(self, given: dict[str, Any], kinds: tuple[str, ...] = KINDS) -> Audience:
        """The recipients of a document; of these kinds."""
        recipients = given.get("recipients")
        if not isinstance(recipients, dict) or not recipients:
            self.refuse("recipients", f"a mapping with any of {', '.join(kinds)} is expected")
        self.known("recipients.", recipients, (*kinds, *FLAGS))
        table = recipients.get("table")
        if table is not None and not isinstance(table, str):
            self.refuse("recipients.table", "the path of a CSV, Parquet, JSON lines or Delta table is expected")

        def flag(key: str) -> bool:
            inner = key in recipients
            return self.flag(f"recipients.{key}" if inner else key, (recipients if inner else given).get(key))

        audience = Audience(
            users=self._list("recipients.users", recipients.get("users"), self._user),
            teams=self._list("recipients.team_members", recipients.get("team_members"), self._guid),
            groups=self._list("recipients.group_members", recipients.get("group_members"), self._guid),
            everyone=self.flag("recipients.everyone", recipients.get("everyone")),
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
