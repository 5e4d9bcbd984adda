"""What this process has written to a table: the keys of its files, as long as there is room for them.

Statistics tell between which values a file's keys lie. Where scopes are read side by side, files of one reading overlap, and
each would be opened to find that it holds none of the next rows. What is kept is a hint and no index: of a file that it does
not know, keys are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa

from lakeflow_teams import _core

#: Bytes of hashes that are kept for a key, five a row; beyond them the oldest files are forgotten.
_MOST_BYTES = 36 << 20


class Recent:
    """By the path of a file the keys that all of its rows are among. ``keys`` are the lists of columns rows are found by."""

    def __init__(self, keys: Iterable[Sequence[str]] = ()) -> None:
        self._known = {tuple(sorted(key)): _core.RecentKeys(_MOST_BYTES) for key in keys if key}

    def note(self, paths: Collection[str], rows: pa.Table) -> None:
        """New files, and the keys of all of them."""
        for key, known in self._known.items():
            known.note([*paths], hashes(rows, key))

    def follow(self, before: Collection[str], after: Collection[str]) -> None:
        """The rows of some files are in others now."""
        for known in self._known.values():
            known.follow([*before], [*after])

    def keep(self, paths: set[str]) -> None:
        """The table has no other files any more."""
        for known in self._known.values():
            known.keep(paths)

    def among(self, paths: Sequence[str], wanted: pa.Table, on: Sequence[str]) -> dict[str, list[int]]:
        """For each of these files that is known the numbers of those rows of ``wanted`` whose key ``on`` it may hold."""
        key = tuple(sorted(on))
        if key not in self._known or not paths:
            return {}
        found = self._known[key].among([*paths], hashes(wanted, key))
        return {path: rows for path, rows in zip(paths, found, strict=True) if rows is not None}


def hashes(rows: pa.Table, key: Sequence[str]) -> _core.KeyHashes:
    """The rows by columns of their key. Values of other types than text are compared as text."""
    return _core.KeyHashes(pa.table([_text(rows[name]) for name in key], names=[*key]))


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # To write a time with a zone as a date takes a database of zones, which Windows lacks.
    plain = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return plain.cast(pa.string())
