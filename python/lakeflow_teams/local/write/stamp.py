"""What a commit carries beside its rows: the offset, where it stands in the reading, and the settings it was made with.

All of it is in the commit's own metadata, so rows and offset appear together or not at all. ``batch`` counts this table's
commits and is also a Delta application transaction: it survives checkpoints and log clean-up, and two ingests into one
table at a time conflict. ``position`` counts the micro-batches of a reading and ``epoch`` the readings that began at the
beginning: tables of one pass that share an epoch are ordered by their position, others cannot be compared.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from deltalake import CommitProperties, DeltaTable, Transaction

APP_ID = "lakeflow-teams"
_KEY = "lakeflow_teams"
#: In the metadata of commits that move rows to other files, and add none.
UPKEEP = "lakeflow_teams_upkeep"
_FIRST_LOOK = 20
#: Operations that never add a row.
_UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "DELETE", "ADD COLUMN", "SET TBLPROPERTIES", "ADD CONSTRAINT")


@dataclass(frozen=True)
class Stamp:
    """``offset`` is ``None`` for snapshots, and ``finished`` tells whether it ends a round.

    ``members`` are the destinations that were filled from the same pass.
    """

    batch: int
    offset: str | None = None
    epoch: int = 0
    position: int = 0
    finished: bool = True
    members: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    #: Graph's clock at the last reconciliation.
    reconciled: str | None = None
    #: The time of a snapshot with history; the next one's is later, whatever the machine's clock says.
    at: str | None = None
    #: The table's keys were known to be unique when the commit was made. Earlier versions did not see to it.
    unique: bool = True
    #: Whose commit it is. Of a store an answer may be lost, and then a program meets its own commit as if it were another's.
    writer: str | None = None
    #: The reading is a full refresh: what is stored is written again.
    afresh: bool = False
    #: The commit holds what Graph pushed since the reading whose offset it carries on.
    pushed: bool = False

    def properties(self) -> CommitProperties:
        """The commit properties that carry this stamp."""
        return CommitProperties(
            custom_metadata={_KEY: json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))},
            app_transactions=[Transaction(APP_ID, self.batch)],
        )


@dataclass(frozen=True)
class Found:
    """The newest stamp of a table. ``batch`` without a ``stamp`` means that the log no longer reaches back to it.

    ``touched`` tells whether another program may have added rows since.
    """

    stamp: Stamp | None
    batch: int | None
    touched: bool = False


def find(table: DeltaTable) -> Found:
    """Looks for the stamp that belongs to the table's present rows, through commits of others and restores."""
    batch = table.transaction_version(APP_ID)
    if batch is None:
        return Found(None, None)
    for limit in (_FIRST_LOOK, None):
        stamp, touched = _newest(table.history(limit))
        if stamp is not None:
            return Found(stamp, max(batch, stamp.batch), touched)
    return Found(None, batch, touched=True)


def _newest(history: list[dict[str, Any]]) -> tuple[Stamp | None, bool]:
    below: int | None = None
    touched = False
    for commit in history:
        if below is not None and commit["version"] > below:
            continue
        operation = commit.get("operation")
        if operation == "RESTORE":
            version = commit.get("operationParameters", {}).get("version")
            if version is None:  # restored by time: which rows these are is not recorded
                return None, True
            below = int(version)
        elif _KEY in commit:
            return _parse(commit[_KEY]), touched
        elif UPKEEP not in commit and operation not in _UPKEEP:
            touched = True
    return None, True


def _parse(text: str) -> Stamp:
    """A stamp as any version wrote it: what a later one added is left out, what an earlier one lacked is its default."""
    known = {field.name for field in fields(Stamp)}
    content = {name: value for name, value in json.loads(text).items() if name in known}
    return Stamp(**{"unique": False, **content, "members": tuple(content["members"])})
