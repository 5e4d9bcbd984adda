"""Messages in any order, of a source of any size, given by container and time.

An external merge sort: runs of some megabytes are sorted in memory and lie in a temporary folder, and each container's parts
of them are merged block by block. What is in memory is one block of each run, whatever the source's size.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lakeflow_teams.deliver.sources.model import MESSAGES

#: The row's place in the source: it orders rows of one time, and names a row that something is wrong with.
PLACE = "__place"
_SCHEMA = MESSAGES.append(pa.field(PLACE, pa.int64(), nullable=False))
_ORDER = [("container", "ascending"), ("created", "ascending"), (PLACE, "ascending")]
_RUN_BYTES = 64_000_000
_BLOCK_BYTES = 8_000_000
_BLOCK_ROWS = 4096


class InOrder:
    """Takes batches of messages once, gives those of a container any number of times."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lakeflow-teams-import-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._runs: list[_Run] = []

    def add(self, batch: pa.RecordBatch, places: Iterable[int]) -> None:
        """Messages in the model's schema, with each one's place."""
        columns = [*batch.columns, pa.array(places, pa.int64())]
        self._held.append(pa.record_batch(columns, schema=_SCHEMA))
        self._held_bytes += batch.nbytes
        if self._held_bytes > _RUN_BYTES:
            self._flush()

    def finish(self) -> list[str]:
        """Ends the taking; the containers that have messages, in the order of their ids."""
        self._flush()
        return sorted({container for run in self._runs for container in run.places})

    def messages(self, container: str) -> Iterator[pa.Table]:
        """Its messages with their places, oldest first, in tables of some thousand rows or 8 MB."""
        parts = [part for run in self._runs if (part := run.part(container)) is not None]
        yield from _merged(parts)

    def _flush(self) -> None:
        if self._held:
            path = self._folder / f"{len(self._runs)}.arrow"
            self._runs.append(_Run(path, pa.Table.from_batches(self._held)))
            self._held, self._held_bytes = [], 0


def each_once(tables: Iterable[pa.Table], again: Callable[[str, int], None]) -> Iterator[pa.RecordBatch]:
    """A container's messages in the schema of the model, the first of each `source_id`; ``again`` is told of the others."""
    seen: set[str] = set()
    for table in tables:
        is_first = []
        for source_id, place in zip(table["source_id"].to_pylist(), table[PLACE].to_pylist(), strict=True):
            is_first.append(source_id not in seen)
            if source_id in seen:
                again(source_id, place)
            seen.add(source_id)
        kept = table if all(is_first) else table.filter(pa.array(is_first))
        yield from kept.drop_columns([PLACE]).cast(MESSAGES).combine_chunks().to_batches()


class _Run:
    """Sorted rows in a file that is mapped into memory, and where each container's rows are."""

    def __init__(self, path: Path, rows: pa.Table) -> None:
        rows = rows.take(pc.sort_indices(rows, sort_keys=_ORDER))
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows, max_chunksize=_BLOCK_ROWS)
        self.places: dict[str, tuple[int, int]] = {}
        at = 0
        for counted in pc.value_counts(rows["container"]).to_pylist():
            self.places[counted["values"]] = (at, counted["counts"])
            at += counted["counts"]
        self._mapped = pa.ipc.open_file(pa.memory_map(str(path))).read_all()

    def part(self, container: str) -> pa.Table | None:
        """The container's rows, which lie in the file."""
        place = self.places.get(container)
        return None if place is None else self._mapped.slice(*place)


def _merged(parts: list[pa.Table]) -> Iterator[pa.Table]:
    """A block of each part at a time, up to where the first of the blocks ends: beyond it another part may have less."""
    while parts:
        blocks = [part.slice(0, _block_rows(part)) for part in parts]
        ends = [_last(block) for block, part in zip(blocks, parts, strict=True) if block.num_rows < part.num_rows]
        if ends:
            blocks = [block.slice(0, _count_until(block, min(ends))) for block in blocks]
        rows = pa.concat_tables(blocks)
        yield rows if len(parts) == 1 else rows.take(pc.sort_indices(rows, sort_keys=_ORDER[1:]))
        rest = [part.slice(block.num_rows) for block, part in zip(blocks, parts, strict=True)]
        parts = [part for part in rest if part.num_rows]


def _block_rows(part: pa.Table) -> int:
    fitting: int = _BLOCK_BYTES * part.num_rows // max(part.nbytes, 1)
    return max(16, min(_BLOCK_ROWS, fitting))


def _last(block: pa.Table) -> tuple[int, int]:
    return block["created"][-1].value, block[PLACE][-1].as_py()


def _count_until(block: pa.Table, end: tuple[int, int]) -> int:
    """How many rows of a sorted block come up to a time and place, that one included."""
    created, place = block["created"].cast(pa.int64()), block[PLACE]
    until = pc.or_(pc.less(created, end[0]), pc.and_(pc.equal(created, end[0]), pc.less_equal(place, end[1])))
    count: int = pc.sum(until).as_py() or 0
    return count
