"""Keys that are looked for, against bounds of what a file or a row group holds, and against the keys that one holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams import _core
from lakeflow_teams.local.write.data_file import Bounds
from lakeflow_teams.local.write.recent import hashes

#: Of so many keys within bounds each is compared by itself; of more, one is taken to be there.
_EACH = 256


class Wanted:
    """The rows of ``rows`` by their key ``on``, of which no part is null."""

    def __init__(self, rows: pa.Table, on: Sequence[str]) -> None:
        self.on = list(on)
        self._rows = rows.select(self.on)
        limits = {name: pc.min_max(self._rows[name]).as_py() for name in self.on}
        self._limits = {name: (limit["min"], limit["max"]) for name, limit in limits.items()}

    @cached_property
    def best(self) -> str:
        """The column that tells most keys apart."""
        return max(self.on, key=lambda name: pc.count_distinct(self._rows[name]).as_py())

    @cached_property
    def _set(self) -> pa.Array:
        return pc.unique(self._rows[self.best])

    @cached_property
    def _sorted(self) -> dict[str, list[Any]]:
        """The keys by that column."""
        rows = self._rows.take(pc.sort_indices(self._rows[self.best]))
        return {name: rows[name].to_pylist() for name in self.on}

    @cached_property
    def _values(self) -> dict[str, list[Any]]:
        """Of each column the values, sorted."""
        return {name: pc.unique(self._rows[name]).sort().to_pylist() for name in self.on}

    @cached_property
    def _index(self) -> dict[tuple[Any, ...], list[int]]:
        index: dict[tuple[Any, ...], list[int]] = {}
        for at, key in enumerate(zip(*(self._rows[name].to_pylist() for name in self.on), strict=True)):
            if key in index:
                index[key].append(at)
            else:
                index[key] = [at]
        return index

    def overlap(self, bounds: Bounds) -> bool:
        """Whether keys and bounds have anything in common; a column without bounds may hold anything."""
        known = [(name, *bounds[name]) for name in self.on if name in bounds]
        return not any(high < self._limits[name][0] or low > self._limits[name][1] for name, low, high in known)

    def may_be_within(self, bounds: Bounds) -> bool:
        """Whether one of the keys may lie within bounds, which takes a closer look at each."""
        known = [(name, *bounds[name]) for name in self.on if name in bounds]
        if self.best in bounds:
            begin, end = self._between(*bounds[self.best])
            if end - begin <= _EACH:
                others = [(self._sorted[name], low, high) for name, low, high in known if name != self.best]
                return any(all(low <= keys[at] <= high for keys, low, high in others) for at in range(begin, end))
        for name, low, high in known:
            values = self._values[name]
            at = bisect_left(values, low)
            if at == len(values) or values[at] > high:
                return False
        return True

    def _between(self, low: Any, high: Any) -> tuple[int, int]:
        """The numbers of the keys, sorted by the column that tells most apart, that lie between two values of it."""
        values = self._sorted[self.best]
        return bisect_left(values, low), bisect_right(values, high)

    @cached_property
    def hashes(self) -> _core.KeyHashes | None:
        """The values of :attr:`best`, if they are text."""
        return hashes(self._rows, [self.best]) if pa.types.is_string(self._rows.schema.field(self.best).type) else None

    def fitting(self, rows: pa.Table) -> list[int]:
        """The numbers of rows whose value of :attr:`best` is that of a key."""
        numbers: list[int] = pc.indices_nonzero(pc.is_in(rows[self.best], value_set=self._set)).to_pylist()
        return numbers

    def among(self, rows: pa.Table) -> tuple[list[int], list[int]]:
        """Pairs of the numbers of a row of ``rows`` and of a wanted one that have the same key."""
        found, wanted = [], []
        for at, key in enumerate(zip(*(rows[name].to_pylist() for name in self.on), strict=True)):
            for index in self._index.get(key, ()):
                found.append(at)
                wanted.append(index)
        return found, wanted
