"""A table that asks for more than plain files, read and written by deltalake's engine.

It knows deletion vectors, constraints, partitions and columns with another name in the files. What is looked for is read out
of the whole table, and a change is a merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable

from lakeflow_teams.local.write import delta, sql
from lakeflow_teams.local.write.data_file import conformed, together
from lakeflow_teams.local.write.lookup import Wanted
from lakeflow_teams.local.write.stored import FILE, PLACE, ROW, WANTED, Change
from lakeflow_teams.store.location import Location

_DEED = "__deed"
_INSERT, _UPDATE, _REMOVE = range(3)


class ByEngine:
    """One version of a table. A place is the number of a row as the engine gives them, and means nothing to it later."""

    def __init__(self, table: DeltaTable, path: Location) -> None:
        self._table = table
        self._path = path
        self.schema = delta.arrow_schema(table)

    def find(self, wanted: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """See :class:`Stored`."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        places = [(FILE, pa.int32()), (ROW, pa.int64()), (WANTED, pa.int64())]
        tables = []
        if wanted.num_rows:
            keys = Wanted(wanted, on)
            for scanned in self.scan([*on, *columns]):
                rows = scanned.take(pa.array(keys.fitting(scanned), pa.int64()))
                found, indices = keys.among(rows)
                if found:
                    some = rows.take(pa.array(found, pa.int64())).select([*columns, *PLACE])
                    tables.append(some.append_column(WANTED, pa.array(indices, pa.int64())))
        return together(tables, pa.schema([*schema, *places]))

    def more(self, found: pa.Table, on: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """See :class:`Stored`. What is stored once was found once, so that the first row of each is taken."""
        again = self.find(found, on, columns)
        first: dict[int, int] = {}
        for at, number in enumerate(again[WANTED].to_pylist()):
            first.setdefault(number, at)
        return again.take(pa.array([first[number] for number in range(found.num_rows)], pa.int64())).select(list(columns))

    def scan(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """See :class:`Stored`."""
        names = list(dict.fromkeys(columns))
        schema = pa.schema([self.schema.field(name) for name in names])
        first = 0
        for batch in pa.RecordBatchReader.from_stream(self._table.scan(columns=names)):
            rows = conformed(pa.Table.from_batches([batch]), schema)
            numbers = pa.array(range(first, first + rows.num_rows), pa.int64())
            yield rows.append_column(FILE, pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows)).append_column(ROW, numbers)
            first += rows.num_rows

    def commit(self, change: Change, identity: Sequence[str], properties: CommitProperties | None) -> int:
        """See :class:`Stored`."""
        inserts = together((conformed(rows, self.schema) for rows in change.inserts), self.schema)
        inserted: int = inserts.num_rows
        updates = [] if change.updates is None else [_deed(change.updates, _UPDATE)]
        removes = [] if change.removes is None else [_deed(change.removes.select(list(identity)), _REMOVE)]
        if not any(rows.num_rows for rows in (*updates, *removes)):
            delta.append(self._table, self._path, inserts, properties)
            return inserted
        source = pa.concat_tables([_deed(inserts, _INSERT), *updates, *removes], promote_options="default")
        deed = sql.column("s", _DEED)
        predicate = f"{deed} > {_INSERT} AND {sql.agree(identity, source)}"
        merger = self._table.merge(source, predicate, source_alias="s", target_alias="t", commit_properties=properties)
        if removes:
            merger = merger.when_matched_delete(predicate=f"{deed} = {_REMOVE}")
        if updates:
            values = [name for name in updates[0].schema.names if name not in (*identity, _DEED)]
            merger = merger.when_matched_update(sql.assignments(values), predicate=f"{deed} = {_UPDATE}")
        merger = merger.when_not_matched_insert(sql.assignments(inserts.schema.names), predicate=f"{deed} = {_INSERT}")
        with delta.committing(self._path):
            merger.execute()
        return inserted


def _deed(rows: pa.Table, deed: int) -> pa.Table:
    rows = rows.drop_columns([name for name in (*PLACE, WANTED) if name in rows.schema.names])
    return rows.append_column(_DEED, pa.repeat(pa.scalar(deed, pa.int32()), rows.num_rows))
