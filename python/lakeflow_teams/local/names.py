"""Names of teams, channels, chats and people, from the tables of a lakehouse: a report says more than an id."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import pyarrow.compute as pc

from lakeflow_teams.local.status import tables_of
from lakeflow_teams.local.write.delta import arrow_schema, opened, read
from lakeflow_teams.store.location import Location
from lakeflow_teams.views.tables import END

_log = logging.getLogger(__name__)

#: Source table to the column of names, and the word with which a scope of it begins.
_NAMED = {
    "teams": ("displayName", "team"),
    "channels": ("displayName", "channel"),
    "chats": ("topic", "chat"),
    "users": ("displayName", "user"),
}


class Names:
    """What ids of a lakehouse are called. The tables are read when the first name is asked for."""

    def __init__(self, target: Location) -> None:
        self._target = target

    def add(self, scopes: Iterable[dict[str, Any]]) -> None:
        """Gives each scope its ``name``, where one is known, such as ``Harbour / General``."""
        for scope in scopes:
            name = self.of(str(scope.get("scope", "")))
            if name:
                scope["name"] = name

    def of(self, scope: str) -> str | None:
        """The name of a scope such as ``team ID`` or ``channel TEAM/CHANNEL``; ``None`` where none is known."""
        word, _, ids = scope.partition(" ")
        if word != "channel":
            return self._known.get((word, ids))
        team, _, channel = ids.partition("/")
        name = self._known.get(("channel", channel))
        return f"{self._known.get(('team', team), team)} / {name}" if name else self._known.get(("team", team))

    @cached_property
    def _known(self) -> dict[tuple[str, str], str]:
        try:
            return self._read()
        except Exception:  # a report without names is still one
            _log.debug("names could not be read", exc_info=True)
            return {}

    def _read(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for stored in tables_of(self._target):
            column, word = _NAMED.get(str(stored.source_table), ("", ""))
            table = opened(self._target.at(stored.path)) if column else None
            if table is None or column not in arrow_schema(table).names:
                continue
            rows = read(table, ["id", column], pc.field(END).is_null() if END in arrow_schema(table).names else None)
            pairs = zip(rows["id"].to_pylist(), rows[column].to_pylist(), strict=True)
            found.update(((word, id_), name) for id_, name in pairs if id_ and name)
        return found
