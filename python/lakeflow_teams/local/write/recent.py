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

    def among(self, paths: Iterable[str], wanted: pa.Table, by: str) -> dict[str, pa.Array]:
        """For each of these files that is known the numbers of those of the wanted keys that it may hold.

        ``by`` is the column that tells most keys apart.
        """
        names = wanted.schema.names
        known = {path: keys for path in paths if (keys := self._keys.get(path)) is not None}
        tables = {id(keys): keys for keys in known.values()}
        if by not in names or any(not _has(keys, wanted.schema, by) for keys in tables.values()) or not tables:
            return {}
        # All at once: what is looked for is hashed for each question anew.
        values = pa.chunked_array([chunk for keys in tables.values() for chunk in keys[by].chunks])
        fits, first, found = pc.is_in(values, value_set=pc.unique(wanted[by])), 0, {}
        keys_wanted = Wanted(wanted, names)
        for number, keys in tables.items():
            here = fits.slice(first, keys.num_rows)
            first += keys.num_rows
            numbers: list[int] = []
            if pc.any(here).as_py():
                _, numbers = keys_wanted.among(keys.filter(here).select(names).cast(wanted.schema))
            found[number] = pa.array(sorted(set(numbers)), pa.int64())
        return {path: found[id(keys)] for path, keys in known.items()}

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


def _has(keys: pa.Table, schema: pa.Schema, by: str) -> bool:
    return set(schema.names) <= set(keys.schema.names) and keys.schema.field(by).type == schema.field(by).type
