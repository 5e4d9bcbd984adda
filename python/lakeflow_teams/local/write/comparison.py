"""A snapshot beside what is stored: what is new, what changed and what is gone.

Both are laid on disk by their key and compared a part at a time, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local.write.buckets import Buckets, Spool
from lakeflow_teams.local.write.data_file import ROW_GROUP_ROWS
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.equality import differing
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.local.write.rows import fitted, newest, require_keys, unmatched
from lakeflow_teams.local.write.stored import FILE, ROW, Stored

_READ = "read"
_STORED = "stored"


@dataclass(frozen=True)
class Part:
    """Some keys.

    ``new`` were read and are not stored, ``gone`` are stored and were not read. Of those that are both and differ, ``now``
    is what was read, row by row beside what is stored, ``before``. Stored rows have their place.
    """

    new: pa.Table
    now: pa.Table
    before: pa.Table
    gone: pa.Table


class Comparison:
    """All rows of a snapshot, whose keys are known to tell them apart.

    Raises :class:`ConfigurationError` where keys that ``primary_keys`` names do not tell them apart, and
    :class:`ProtocolError` for the table's own.
    """

    def __init__(self, destination: Destination, rows: Iterable[pa.Table], schema: pa.Schema) -> None:
        self._destination = destination
        self._schema = schema
        self._keys = destination.shape.keys
        self._buckets = Buckets(self._keys)
        with self._buckets.closed_by_error():
            self._buckets.fill(_READ, schema, map(self._with_keys, rows))
            self._unique()

    def __enter__(self) -> Comparison:  # noqa: PYI034 (Self needs Python 3.11)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._buckets.__exit__(kind, error, trace)

    def rows(self) -> Iterator[pa.Table]:
        """What was read."""
        return self._buckets.side(_READ)

    def parts(self, stored: Stored, rows: Iterable[pa.Table], gone: Callable[[pa.Table], pa.Table]) -> Iterator[Part]:
        """What was read beside ``rows``, which are all columns of those that are stored, with their place.

        ``gone`` tells which of those that were not read are gone.
        """
        places = [(FILE, pa.int32()), (ROW, pa.int64())]
        self._buckets.fill(_STORED, pa.schema([*stored.schema, *places]), rows)
        for read, held in zip(self._buckets.side(_READ), self._buckets.side(_STORED), strict=True):
            yield self._part(fitted(read, stored.schema), held, gone)

    def spool(self, schema: pa.Schema) -> Spool:
        """Room for what is to be written."""
        return self._buckets.spool("written", schema, 5 * ROW_GROUP_ROWS)

    def _part(self, read: pa.Table, held: pa.Table, gone: Callable[[pa.Table], pa.Table]) -> Part:
        if read.num_rows == 0 or held.num_rows == 0:
            return Part(read, read.slice(0, 0), held.slice(0, 0), gone(held))
        pairs = Wanted(read, self._keys).among(held)
        found, wanted = (pa.array(numbers, pa.int64()) for numbers in pairs)
        now, before = read.take(wanted), held.take(found)
        unlike = differing(now, before, self._schema.names)
        return Part(unmatched(read, wanted), now.filter(unlike), before.filter(unlike), gone(unmatched(held, found)))

    def _with_keys(self, rows: pa.Table) -> pa.Table:
        require_keys(rows, self._keys, self._destination.name, self._destination.shape.own)
        return rows

    def _unique(self) -> None:
        doubled = sum(
            rows.num_rows - newest(rows, self._keys, None).num_rows for rows in self._buckets.side(_READ, self._keys)
        )
        keys = ", ".join(self._keys)
        if doubled and self._destination.shape.own:
            raise _core.ConfigurationError(
                f"destination {self._destination.name}: primary_keys {keys} are the same in {doubled} rows; "
                "add a column, or leave primary_keys out"
            )
        if doubled:
            raise _core.ProtocolError(
                f"destination {self._destination.name}: Graph gave {doubled} rows whose key ({keys}) another row has, and "
                "which of them is right cannot be told; nothing was written, and the next run reads the table again"
            )
