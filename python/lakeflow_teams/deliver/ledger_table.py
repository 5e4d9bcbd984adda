"""The table ``import_messages``: a row per post of every import into the target, with what became of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lakeflow_teams import _core
from lakeflow_teams.deliver.workspace import all_staged
from lakeflow_teams.store.staging import address

TABLE = ("main", "default", "import_messages")


def path(target: Path) -> Path:
    """Where the table is."""
    return target.joinpath(*TABLE)


def write(target: Path) -> None:
    """Writes the table anew from the journals, which are what counts."""
    readers = [pa.RecordBatchReader.from_stream(_core.Import(folder)) for folder in all_staged(target)]
    if not readers:
        return
    schema = readers[0].schema
    batches = (batch for reader in readers for batch in reader)
    rows = pa.RecordBatchReader.from_batches(schema, batches)
    path(target).parent.mkdir(parents=True, exist_ok=True)
    write_deltalake(address(path(target)), rows, mode="overwrite", schema_mode="overwrite")
