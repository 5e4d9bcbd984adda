"""The table ``bot_activities``, filled from the journal in the background, so that no answer waits for a commit."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams.deliver import conversations
from lakeflow_teams.local.write.upkeep import compact_log
from lakeflow_teams.store.folder import Folder
from lakeflow_teams.store.staging import address

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

TABLE = ("main", "default", "bot_activities")
#: The commit with a batch says up to which event of the journal the table goes, so that none is written twice.
_APP_ID = "lakeflow-teams-bot"
#: A lone activity stands in the table after this; where many come, a commit is made in so many seconds.
_SOON_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
#: Small files are put together after so many commits; when somebody was last seen is told after so many seconds.
_UPKEEP_COMMITS = 32
_LAST_SEEN_SECONDS = 60.0
#: After an error.
_LONG_SECONDS = 30.0


class Filing:
    """Writes what the journal has and the table lacks, in a thread of its own."""

    def __init__(self, core: _core.Bot, target: Path) -> None:
        self._core = core
        self._target = target
        self._path = target.joinpath(*TABLE)
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._conversations_changed = threading.Event()
        self._commits = 0
        #: Where people are written to, as the table has it, and when it was written.
        self._places: set[tuple[str, str | None, str | None]] = set()
        self._told = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="bot-filing", daemon=True)

    def start(self) -> None:
        """Begins; what an earlier process left is written first."""
        from deltalake import DeltaTable

        place = address(self._path)
        if DeltaTable.is_deltatable(place):
            self._core.filed(DeltaTable(place).transaction_version(_APP_ID) or 0)
        self._thread.start()

    def stop(self) -> None:
        """Writes the rest."""
        self._over.set()
        self._thread.join()
        if self._places:
            self._conversations_changed.set()
        self._try()

    def conversations_changed(self) -> None:
        """The table of conversations is written with the next batch."""
        self._conversations_changed.set()

    def _run(self) -> None:
        pause = _SOON_SECONDS
        while not self._over.wait(pause):
            wrote = self._try()
            pause = _LONG_SECONDS if wrote is None else _PAUSE_SECONDS if wrote else _SOON_SECONDS

    def _try(self) -> int | None:
        """How many rows were written; nothing where they could not be, and wait in the journal."""
        try:
            return self.write()
        except Exception as error:
            # Its text may quote a row.
            _log.error("bot_activities could not be written (%s); they stay in the journal", type(error).__name__)
            return None

    def write(self) -> int:
        """Writes what the table lacks; returns how many rows that was."""
        with self._turn:
            version, new, changed = self._core.unfiled()
            if len(new) or len(changed):
                self._write(version, new, changed)
                self._core.filed(version)
            if self._conversations_changed.is_set():
                self._conversations_changed.clear()
                self._told = time.monotonic()
                conversations.write_table(self._target)
            return len(new) + len(changed)

    def _write(self, version: int, new: _core.ActivityRows, changed: _core.ActivityRows) -> None:
        import pyarrow as pa
        from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

        place = address(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        mark = CommitProperties(app_transactions=[Transaction(_APP_ID, version)])
        if len(changed):
            _merge(DeltaTable(place), pa.table(changed), None if len(new) else mark)
        if len(new):
            rows = pa.table(new)
            self._remember(rows)
            write_deltalake(place, rows, mode="append", commit_properties=mark)
        self._commits += 1
        if self._commits % _UPKEEP_COMMITS == 0:
            compact_log(DeltaTable(place), Folder(self._path))

    def _remember(self, rows: pa.Table) -> None:
        """The newest conversation and service URL of everybody who wrote."""
        columns = ["type", "conversation_id", "conversation_type", "channel_id", "team_id", "user_id", "tenant_id"]
        columns.append("service_url")
        # Few of many: Arrow finds them without holding up the answers.
        newest = rows.group_by(columns).aggregate([("received_at", "max")]).sort_by("received_at_max")
        seen = {}
        for row in newest.to_pylist():
            found = _conversation(row, int(row["received_at_max"].timestamp() * 1000))
            if found is not None:
                seen[found.recipient_id] = found
        if not seen:
            return
        conversations.remember(self._target, seen.values())
        places = {(row.recipient_id, row.conversation_id, row.service_url) for row in seen.values()}
        if not places <= self._places or time.monotonic() - self._told > _LAST_SEEN_SECONDS:
            self._conversations_changed.set()
        self._places |= places


def _conversation(row: dict[str, Any], at: int) -> conversations.Row | None:
    # Installations and removals are kept where they are handled.
    if row["type"] in {"conversationUpdate", "installationUpdate"}:
        return None
    root = (row["conversation_id"] or "").partition(";")[0]
    place = {"service_url": row["service_url"], "tenant_id": row["tenant_id"], "installed": True, "last_seen": at}
    if row["conversation_type"] == "channel":
        return conversations.Row(row["channel_id"] or root, "channel", root, team_id=row["team_id"], **place)
    if row["conversation_type"] == "groupChat":
        return conversations.Row(root, "group_chat", root, **place)
    if row["user_id"]:
        return conversations.Row(row["user_id"].lower(), "user", root, **place)
    return None


def _merge(table: Any, changed: pa.Table, mark: Any) -> None:
    """Rows that are there already, found by their number and time."""
    keys = ["sequence", "received_at"]
    values = {name: f"s.{name}" for name in changed.column_names if name not in keys}
    predicate = " and ".join(f"t.{key} = s.{key}" for key in keys)
    merge = table.merge(changed, predicate=predicate, source_alias="s", target_alias="t", commit_properties=mark)
    merge.when_matched_update(values).execute()
