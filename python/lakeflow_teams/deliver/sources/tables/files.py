"""The files of a source of tables: which there are, and their rows, whatever the format.

A table is a file or a folder named after it: ``messages.parquet``, ``messages.csv`` (also ``.tsv``), ``messages.jsonl``,
``messages/`` with a Delta log or Parquet files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from lakeflow_teams._extras import need
from lakeflow_teams.deliver.sources.delimited import Delimited
from lakeflow_teams.deliver.sources.json_items import line_items
from lakeflow_teams.deliver.sources.model import Problem, SourceError

TABLES = ("users", "containers", "messages")
_ROWS = 4096

Row = dict[str, Any]


class Batch(NamedTuple):
    """Rows, and each one's number in its file: the line of a text file, the row of another."""

    rows: pa.RecordBatch | list[Row]
    places: list[int]

    def each(self) -> Iterator[tuple[int, Row]]:
        """The rows one by one, with their numbers."""
        rows = _in_microseconds(self.rows).to_pylist() if isinstance(self.rows, pa.RecordBatch) else self.rows
        return zip(self.places, rows, strict=True)


def _in_microseconds(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Python's times are no finer, and Arrow refuses to cut them without being asked."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind = pa.timestamp("us", field.type.tz)
            rows = rows.set_column(index, field.with_type(kind), rows.column(index).cast(kind, safe=False))
    return rows


class TableFile(Protocol):
    """One table."""

    path: Path
    #: The names of its columns, where they are known before reading.
    schema: pa.Schema | None

    def batches(self, problems: list[Problem]) -> Iterator[Batch]:
        """All rows."""

    def where(self, place: int) -> str:
        """How a row is named in a problem."""


def find_tables(path: Path) -> dict[str, TableFile]:
    """The tables of a folder, or of the folder of the file of messages. Raises :class:`SourceError` without `messages`."""
    found = _named(path, TABLES) if path.is_dir() else {}
    if "messages" not in found and (path.is_file() or _is_table(path)):
        found = _named(path.parent, TABLES[:-1]) | {"messages": _opened(path)}
    if "messages" not in found:
        kinds = "messages.parquet, messages.csv, messages.jsonl or a folder messages/ of Parquet or Delta"
        raise SourceError(f"{path}: there is no table of messages; it would be {kinds}")
    return found


def _named(folder: Path, names: Sequence[str]) -> dict[str, TableFile]:
    found = {}
    for name in names:
        matches = [path for path in sorted(folder.iterdir()) if path.name == name or path.name.startswith(f"{name}.")]
        readable = [path for path in matches if _is_table(path) or path.suffix.lower() in _FORMATS]
        if len(readable) > 1:
            known = ", ".join(path.name for path in readable)
            raise SourceError(f"{folder}: the table {name} is there more than once ({known}); leave one of them")
        if readable:
            found[name] = _opened(readable[0])
    return found


def _is_table(path: Path) -> bool:
    return path.is_dir() and ((path / "_delta_log").is_dir() or any(path.glob("*.parquet")))


def _opened(path: Path) -> TableFile:
    if path.is_dir():
        return _Delta(path) if (path / "_delta_log").is_dir() else _Parquet(path)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise SourceError(
            f"{path}: {path.suffix or 'a file without an ending'} is no table; known are {', '.join(_FORMATS)}"
        )
    opened: TableFile = kind(path)
    return opened


class _Parquet:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._dataset = ds.dataset(path, format="parquet")
        except (OSError, pa.ArrowInvalid) as error:
            raise SourceError(f"{path}: it cannot be read as Parquet ({_line(error)}); write it again") from None
        self.schema: pa.Schema | None = self._dataset.schema

    def where(self, place: int) -> str:
        return f"{self.path.name} row {place}"

    def batches(self, problems: list[Problem]) -> Iterator[Batch]:
        yield from _numbered(self._dataset, self.path, problems)


class _Delta:
    def __init__(self, path: Path) -> None:
        self.path = path
        deltalake = need("deltalake", "local", "reading a Delta table")
        try:
            self._dataset = deltalake.DeltaTable(path).to_pyarrow_dataset()
        except Exception as error:  # deltalake has many of its own
            raise SourceError(f"{path}: it cannot be read as a Delta table ({_line(error)})") from None
        self.schema: pa.Schema | None = self._dataset.schema

    def where(self, place: int) -> str:
        return f"{self.path.name} row {place}"

    def batches(self, problems: list[Problem]) -> Iterator[Batch]:
        yield from _numbered(self._dataset, self.path, problems)


def _numbered(dataset: ds.Dataset, path: Path, problems: list[Problem]) -> Iterator[Batch]:
    """The dataset's rows in their order; rows count from 1."""
    at = 1
    scanned = dataset.scanner(batch_size=_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False).to_batches()
    try:
        for rows in scanned:
            if rows.num_rows:
                yield Batch(rows, list(range(at, at + rows.num_rows)))
                at += rows.num_rows
    except (OSError, pa.ArrowInvalid) as error:
        problems.append(
            Problem(f"{path.name} row {at}", f"it cannot be read from here on ({_line(error)})", "Write it again")
        )


class _Csv:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Delimited(path)
        self.schema: pa.Schema | None = pa.schema([(name, pa.string()) for name in self._file.columns if name])

    def where(self, place: int) -> str:
        return f"{self.path.name} line {place}"

    def batches(self, problems: list[Problem]) -> Iterator[Batch]:
        yield from _grouped(self._file.rows(problems))


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.schema: pa.Schema | None = None

    def where(self, place: int) -> str:
        return f"{self.path.name} line {place}"

    def batches(self, problems: list[Problem]) -> Iterator[Batch]:
        yield from _grouped(self._rows(problems))

    def _rows(self, problems: list[Problem]) -> Iterator[tuple[int, Row]]:
        with self.path.open("rb") as stream:
            for line, item in line_items(stream, self.path.name, problems):
                if isinstance(item, dict):
                    yield line, item
                else:
                    problems.append(Problem(self.where(line), "it is no JSON object", "Write one object in each line"))


def _grouped(rows: Iterator[tuple[int, Row]]) -> Iterator[Batch]:
    held: list[Row] = []
    places: list[int] = []
    for place, row in rows:
        held.append(row)
        places.append(place)
        if len(held) == _ROWS:
            yield Batch(held, places)
            held, places = [], []
    if held:
        yield Batch(held, places)


_FORMATS: dict[str, Any] = {
    ".parquet": _Parquet,
    ".csv": _Csv,
    ".tsv": _Csv,
    ".jsonl": _JsonLines,
    ".ndjson": _JsonLines,
}


def cell(value: Any) -> Any:
    """A value of a list or an object, which CSV has as JSON in a cell."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
