"""Rows that Graph pushed: completed with what is stored, and written beside readings that go on from their own offset.

A commit of pushed rows carries the stamp that the table has, offset and all, so that a reading goes on as if it had not
been there. Whoever commits second makes its commit again on what is there by then: the version of a row decides, not who
came first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import uniform
from time import sleep

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import CommitFailedError

from lakeflow_teams.local.write.delta import OvertakenError
from lakeflow_teams.local.write.destination import Destination
from lakeflow_teams.local.write.rows import fitted, newest, require_keys, unmatched
from lakeflow_teams.local.write.stamp import Found, Stamp
from lakeflow_teams.local.write.stored import PLACE, WANTED, Change, placed
from lakeflow_teams.results.summary import Counts

#: How often in a row another commit may come first, and the longest pause after one.
MOST_LOSSES = 50
_LONGEST_PAUSE_SECONDS = 0.5


def stamp_on(found: Found, settings: dict[str, object]) -> Stamp:
    """The stamp of pushed rows on what is found: the same with the next number."""
    base = found.stamp or Stamp(0, settings=settings)
    return replace(base, batch=(found.batch or 0) + 1, pushed=True, afresh=base.afresh and not base.finished)


def is_on(stamp: Stamp | None, last: Stamp | None) -> bool:
    """Whether a stored stamp is of pushed rows on top of ``last``, and of no other reading."""
    if stamp is None or last is None or not stamp.pushed:
        return False
    return (stamp.epoch, stamp.position, stamp.offset) == (last.epoch, last.position, last.offset)


def again(write: Callable[[], Counts]) -> Counts:
    """Writes until no other commit came first."""
    for losses in range(MOST_LOSSES):
        try:
            return write()
        except OvertakenError:  # noqa: PERF203
            sleep(uniform(0.0, min(_LONGEST_PAUSE_SECONDS, 0.02 * (losses + 1))))  # noqa: S311
    raise CommitFailedError("other programs commit to this table all the time")


def completed(destination: Destination, rows: pa.Table, carried: pa.ChunkedArray, stored_keys: Sequence[str]) -> pa.Table:
    """The rows with stored values where they carry none: ``carried`` lists the names of what each carries, null for all."""
    partial = pc.is_valid(carried)
    table = destination.open()
    if table is None or not pc.any(partial).as_py():
        return rows
    stored = destination.stored(table)
    names = [name for name in rows.schema.names if name in stored.schema.names]
    found = stored.find(rows.filter(partial), stored_keys, names)
    if found.num_rows == 0:
        return rows
    places = pc.indices_nonzero(partial).take(pa.array(found[WANTED].to_pylist(), pa.uint64()))
    told = [set(names or ()) for names in carried.take(places).to_pylist()]
    for index, field in enumerate(rows.schema):
        if field.name not in names or field.name in stored_keys:
            continue
        silent = pa.array([field.name not in each for each in told], pa.bool_())
        if not pc.any(silent).as_py():
            continue
        mask = pa.array(_flags(rows.num_rows, places.filter(silent).to_pylist()), pa.bool_())
        ordered = found.filter(silent).take(pc.sort_indices(places.filter(silent)))[field.name]
        values = ordered.combine_chunks().cast(field.type)
        rows = rows.set_column(index, field, _replaced(rows[field.name].combine_chunks(), mask, values))
    return rows


def _flags(count: int, true: Sequence[int]) -> list[bool]:
    flags = [False] * count
    for at in true:
        flags[at] = True
    return flags


def _replaced(column: pa.Array, mask: pa.Array, values: pa.Array) -> pa.Array:
    """The column with the next of ``values`` in each place of the mask, whatever its type: lists and structs too."""
    places = iter(range(len(column), len(column) + len(values)))
    indices = [next(places) if flag else at for at, flag in enumerate(mask.to_pylist())]
    return pa.concat_arrays([column, values]).take(pa.array(indices, pa.int64()))


def write_unversioned(destination: Destination, rows: pa.Table, deleted: pa.Table | None, stamp: Stamp) -> Counts:
    """Puts rows without a version in the place of those with their key, and takes out those that are deleted."""
    keys = destination.shape.keys
    require_keys(rows, keys, destination.name, destination.shape.own)
    source = newest(rows, keys, None)
    table = destination.current(stamp)
    if table is None:
        return Counts(inserts=destination.append(source, stamp))
    stored = destination.stored(destination.widen(table, source.schema))
    source = fitted(source, stored.schema)
    found = stored.find(source, keys, [*keys])
    updates = placed(source, found.select([*PLACE, WANTED]))
    removes = stored.find(deleted.select(list(keys)), keys, [*keys]) if deleted is not None and deleted.num_rows else None
    change = Change([unmatched(source, found[WANTED])], updates, removes)
    inserts = destination.commit(stored, change, stamp)
    return Counts(inserts, updates.num_rows, removes.num_rows if removes is not None else 0)
