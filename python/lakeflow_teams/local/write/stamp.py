"""What a commit carries beside its rows: the offset, where it stands in the reading, and the settings it was made with.

All of it is in the commit's own metadata, so rows and offset appear together or not at all. ``batch`` counts this table's
commits and is also a Delta application transaction: it survives checkpoints and log clean-up, and two ingests into one
table at a time conflict. ``position`` counts the micro-batches of a reading and ``epoch`` the readings that began at the
beginning: tables of one pass that share an epoch are ordered by their position, others cannot be compared.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from deltalake import CommitProperties, DeltaTable, Transaction

APP_ID = "lakeflow-teams"
_KEY = "lakeflow_teams"
_FIRST_LOOK = 20


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

    def properties(self) -> CommitProperties:
        """The commit properties that carry this stamp."""
        return CommitProperties(
            custom_metadata={_KEY: json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))},
            app_transactions=[Transaction(APP_ID, self.batch)],
        )


@dataclass(frozen=True)
class Found:
    """The newest stamp of a table. ``batch`` without a ``stamp`` means that the log no longer reaches back to it."""

    stamp: Stamp | None
    batch: int | None


def find(table: DeltaTable) -> Found:
    """Looks for the stamp that belongs to the table's present rows, through commits of others and restores."""
    batch = table.transaction_version(APP_ID)
    if batch is None:
        return Found(None, None)
    for limit in (_FIRST_LOOK, None):
        stamp = _newest(table.history(limit))
        if stamp is not None:
            return Found(stamp, max(batch, stamp.batch))
    return Found(None, batch)


def _newest(history: list[dict[str, Any]]) -> Stamp | None:
    below: int | None = None
    for commit in history:
        if below is not None and commit["version"] > below:
            continue
        if commit.get("operation") == "RESTORE":
            version = commit.get("operationParameters", {}).get("version")
            if version is None:  # restored by time: which rows these are is not recorded
                return None
            below = int(version)
        elif _KEY in commit:
            return _parse(commit[_KEY])
    return None


def _parse(text: str) -> Stamp:
    content = json.loads(text)
    return Stamp(**{**content, "members": tuple(content["members"])})
