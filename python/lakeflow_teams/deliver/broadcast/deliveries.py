"""The table ``deliveries``: a row per recipient of every broadcast into the target; and its export."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from deltalake import DeltaTable, write_deltalake

from lakeflow_teams import _core
from lakeflow_teams.deliver.yaml_file import refuse
from lakeflow_teams.store.staging import address

TABLE = ("main", "default", "deliveries")
#: The columns of the second file of a zip, and how such applications head them.
_ZIP = {
    "recipient_id": "User ID",
    "display_name": "Name",
    "kind": "Recipient Type",
    "state": "Delivery Status",
    "status_codes": "Status Codes",
    "error_code": "Status Reason",
    "error": "Error",
    "sent_at": "Sent TimeStamp",
}


def path(target: Path) -> Path:
    """Where the table is."""
    return target.joinpath(*TABLE)


def rows(folder: Path) -> pa.RecordBatchReader:
    """The rows of one broadcast, from its journal, which is what counts."""
    return pa.RecordBatchReader.from_stream(_core.Broadcast(folder))


def write(target: Path, folder: Path, name: str) -> None:
    """Writes the rows of one broadcast anew, and leaves those of others."""
    place = address(path(target))
    path(target).parent.mkdir(parents=True, exist_ok=True)
    if DeltaTable.is_deltatable(place):
        write_deltalake(place, rows(folder), mode="overwrite", predicate=_is(name))
    else:
        write_deltalake(place, rows(folder), mode="append")


def remove(target: Path, name: str) -> None:
    """Takes the rows of one broadcast out."""
    place = address(path(target))
    if DeltaTable.is_deltatable(place):
        DeltaTable(place).delete(_is(name))


def _is(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"broadcast = '{quoted}'"


def export(folder: Path, name: str, to: Path) -> int:
    """Writes a broadcast's rows to CSV, Parquet, or a zip of both files that such applications give; returns how many."""
    kinds = {".csv": _to_csv, ".parquet": _to_parquet, ".zip": _to_zip}
    kind = kinds.get(to.suffix.lower()) or refuse(f"--to {to}: it ends in none of {', '.join(kinds)}")
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = to.with_name(f".{to.name}.draft")
    count = kind(rows(folder), draft, name)
    draft.replace(to)
    return count


def _counted(reader: pa.RecordBatchReader, count: list[int]) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        count[0] += batch.num_rows
        yield batch


def _to_csv(reader: pa.RecordBatchReader, to: Path, _name: str) -> int:
    count = [0]
    with pyarrow.csv.CSVWriter(to, reader.schema) as writer:
        for batch in _counted(reader, count):
            writer.write_batch(_safe(batch))
    return count[0]


def _to_parquet(reader: pa.RecordBatchReader, to: Path, _name: str) -> int:
    count = [0]
    with pyarrow.parquet.ParquetWriter(to, reader.schema) as writer:
        for batch in _counted(reader, count):
            writer.write_batch(batch)
    return count[0]


def _to_zip(reader: pa.RecordBatchReader, to: Path, name: str) -> int:
    count = [0]
    sent: datetime | None = None
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("Message_Delivery.csv", "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
            writer = csv.writer(text)
            writer.writerow(_ZIP.values())
            for batch in _counted(reader, count):
                for row in batch.select(list(_ZIP)).to_pylist():
                    if row["sent_at"] is not None:
                        sent = min(sent or row["sent_at"], row["sent_at"])
                    writer.writerow([_cell(value) for value in row.values()])
        with archive.open("Metadata.csv", "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
            writer = csv.writer(text)
            writer.writerow(["Message Title", "Sent TimeStamp", "Export TimeStamp", "Recipients"])
            writer.writerow([_cell(name), _cell(sent), _cell(datetime.now(timezone.utc)), count[0]])
    return count[0]


def _cell(value: Any) -> Any:
    """A value of a CSV. What a spreadsheet would take for a formula is a text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value


def _safe(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Names come from the directory, where people write what they like."""
    at = batch.schema.get_field_index("display_name")
    names = pa.array([_cell(name) for name in batch.column(at).to_pylist()], pa.string())
    return batch.set_column(at, batch.schema.field(at), names)
