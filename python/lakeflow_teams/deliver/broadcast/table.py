"""The table of recipients: CSV, Parquet, JSON lines or Delta, with a column ``user_id`` and any columns for the card."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.yaml_file import refuse

KEY = "user_id"
#: Rows of a batch of columnar files.
_ROWS = 10_000


class Table:
    """A file or folder of recipients."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kind = _kind(path)
        self.columns = self._columns()
        if KEY not in self.columns:
            refuse(f"recipients.table {path}: there is no column {KEY}; it has {', '.join(self.columns)}")

    def rows(self) -> Iterator[tuple[str, str]]:
        """The user's id, and the row as JSON text."""
        for number, row in enumerate(self._dicts(), 1):
            user = row.get(KEY)
            if not isinstance(user, str) or not user.strip():
                refuse(f"recipients.table {self._path}: row {number} has no {KEY}")
            yield user.strip(), json.dumps(row, ensure_ascii=False, default=_plain)

    def fingerprint(self) -> str:
        """Changes with the content of the table."""
        digest = hashlib.sha256()
        files = sorted(self._path.rglob("*")) if self._path.is_dir() else [self._path]
        for file in files:
            if file.is_file():
                digest.update(file.name.encode(errors="surrogateescape"))
                with file.open("rb") as content:
                    while block := content.read(1 << 20):
                        digest.update(block)
        return digest.hexdigest()

    def _columns(self) -> list[str]:
        try:
            if self._kind == "csv":
                with self._path.open(encoding="utf-8-sig", newline="") as file:
                    return [name.strip() for name in next(csv.reader(file), [])]
            if self._kind == "jsonl":
                first = next(self._dicts(), {})
                return list(first)
            return list(self._dataset().schema.names)
        except OSError as error:
            return refuse(f"recipients.table {self._path}: it cannot be read: {error.strerror or error}")

    def _dataset(self) -> Any:
        if self._kind == "delta":
            from deltalake import DeltaTable

            return DeltaTable(self._path).to_pyarrow_dataset()
        import pyarrow.dataset as ds

        return ds.dataset(self._path, format="parquet")

    def _dicts(self) -> Iterator[dict[str, Any]]:
        if self._kind == "csv":
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    yield {str(name).strip(): value for name, value in row.items() if name is not None}
        elif self._kind == "jsonl":
            with self._path.open(encoding="utf-8-sig") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield self._parsed(number, line)
        else:
            for batch in self._dataset().to_batches(batch_size=_ROWS):
                yield from batch.to_pylist()

    def _parsed(self, number: int, line: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError as error:
            refuse(f"recipients.table {self._path}: line {number} is no JSON: {error}")
        if not isinstance(row, dict):
            refuse(f"recipients.table {self._path}: line {number} is no JSON object")
        return row


def _kind(path: Path) -> str:
    if not path.exists():
        refuse(f"recipients.table {path}: there is no such file")
    if path.is_dir():
        return "delta" if (path / "_delta_log").is_dir() else "parquet"
    kinds = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    kind = kinds.get(path.suffix.lower())
    return kind or refuse(
        f"recipients.table {path}: {path.suffix or 'no ending'} is none of {', '.join(kinds)}, nor a Delta table"
    )


def _plain(value: object) -> object:
    iso = getattr(value, "isoformat", None)
    return iso() if iso else str(value)
