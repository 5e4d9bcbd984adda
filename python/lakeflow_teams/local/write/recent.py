"""What this process has written to a table: the keys of its files, as long as there is room for them.

Statistics tell between which values a file's keys lie. Where scopes are read side by side, files of one reading overlap, and
each would be opened to find that it holds none of the next rows. What is kept is a hint and no index: of a file that it does
not know, keys are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.local.write.lookup import Wanted

#: Bytes of keys that are kept, some million messages; beyond them the oldest files are forgotten.
_MOST_BYTES = 36 << 20
#: A column of which each value stands for so many rows is kept as numbers.
_FEW = 8


class Recent:
    """By the path of a file keys, among which all of the file's are."""

    def __init__(self) -> None:
        self._keys: dict[str, pa.Table] = {}

    def note(self, paths: Iterable[str], keys: Sequence[pa.Table]) -> None:
        """New files, and the keys of all of them."""
        self._keys.update(dict.fromkeys(paths, _packed(pa.concat_tables(keys))))
        while self._bytes() > _MOST_BYTES:
            del self._keys[next(iter(self._keys))]

    def follow(self, before: Collection[str], after: Iterable[str]) -> None:
        """The rows of some files are in others now."""
        if before and all(path in self._keys for path in before):
            known = {id(self._keys[path]): self._keys[path] for path in before}
            self.note(after, [_plain(keys) for keys in known.values()])

    def keep(self, paths: Collection[str]) -> None:
        """The table has no other files any more."""
        for gone in self._keys.keys() - paths:
            del self._keys[gone]

    def among(self, path: str, wanted: pa.Table, by: str) -> pa.Array | None:
        """The numbers of those of the wanted keys that a file may hold; ``None`` where that is not known.

        ``by`` is the column that tells most keys apart.
        """
        keys = self._keys.get(path)
        if keys is None or not set(wanted.schema.names) <= set(keys.schema.names) or by not in wanted.schema.names:
            return None
        values = keys[by]
        if values.type != wanted[by].type:
            return None
        few = pc.indices_nonzero(pc.is_in(wanted[by], value_set=values))
        if len(few) == 0:
            return few
        some = wanted.take(few)
        there = keys.filter(pc.is_in(values, value_set=some[by])).select(some.schema.names).cast(some.schema)
        _, numbers = Wanted(some, some.schema.names).among(there)
        return few.take(pa.array(sorted(set(numbers)), pa.int64()))

    def _bytes(self) -> int:
        return sum({id(keys): keys.nbytes for keys in self._keys.values()}.values())


def _packed(keys: pa.Table) -> pa.Table:
    """The same in less room, and not of the rows that the keys were taken from: few teams and channels have all of them."""
    for at, name in enumerate(keys.schema.names):
        column = keys[name]
        is_few = pc.count_distinct(column).as_py() * _FEW < keys.num_rows
        packed = column.dictionary_encode() if is_few else pa.chunked_array([pa.concat_arrays(column.chunks)])
        keys = keys.set_column(at, name, packed)
    return keys


def _plain(keys: pa.Table) -> pa.Table:
    kinds = [one.type.value_type if pa.types.is_dictionary(one.type) else one.type for one in keys.schema]
    return keys.cast(pa.schema([one.with_type(kind) for one, kind in zip(keys.schema, kinds, strict=True)]))
