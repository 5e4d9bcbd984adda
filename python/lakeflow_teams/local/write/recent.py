"""What this process has written to a table: of each file the values of the column that its rows are ordered by.

Statistics tell between which values a file's keys lie. Where scopes are read side by side, files of one reading overlap, and
each would be opened to find that it holds none of the next rows. It is a hint and no index: it says of a file only what it
does not hold, and what it does not know is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

#: Bytes of values that are kept, some two million ids of messages; beyond them the oldest files are forgotten.
_MOST_BYTES = 36 << 20


class Recent:
    """By the path of a file values of its column, among which all of the file's are."""

    def __init__(self) -> None:
        self._values: dict[str, pa.Array] = {}

    def note(self, paths: Iterable[str], values: Sequence[pa.Array]) -> None:
        """New files, and the values of all of them."""
        self._values.update(dict.fromkeys(paths, pa.concat_arrays(values)))
        while self._bytes() > _MOST_BYTES:
            del self._values[next(iter(self._values))]

    def follow(self, before: Collection[str], after: Iterable[str]) -> None:
        """The rows of some files are in others now."""
        known = {id(self._values[path]): self._values[path] for path in before if path in self._values}
        if known and all(path in self._values for path in before):
            self.note(after, list(known.values()))

    def keep(self, paths: Collection[str]) -> None:
        """The table has no other files any more."""
        for gone in self._values.keys() - paths:
            del self._values[gone]

    def among(self, path: str, wanted: pa.ChunkedArray) -> pa.Array | None:
        """The numbers of those of the values that a file may hold; ``None`` where nothing is known of it."""
        values = self._values.get(path)
        if values is None or values.type != wanted.type:
            return None
        return pc.indices_nonzero(pc.is_in(wanted, value_set=values))

    def _bytes(self) -> int:
        return sum({id(values): values.nbytes for values in self._values.values()}.values())
