"""The one door to deltalake: tables by their path, commits that know of each other, and errors in a line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams._staging import LOG, CommitExistsError, address, creation, publish

_KEPT = "_kept"
_LONGEST_NAME = 255
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_CONFLICT = ("concurrent", "since last commit")


class OvertakenError(Exception):
    """Another program committed to the table since it was read. What was to be written is not; reading anew helps."""


def opened(path: Path) -> DeltaTable | None:
    """The table in its newest version, or ``None`` where there is none."""
    if not (path / LOG).is_dir():
        return None
    root = address(path)
    return DeltaTable(root) if DeltaTable.is_deltatable(root) else None


def create(path: Path, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """A new table with its first rows, described as they are. Raises :class:`OvertakenError` where there is one by now.

    The commit is put in place as Delta's protocol wants it, only where the log has none of its number. deltalake itself, in
    any ``mode``, makes an append of it if another writer creates the table while the rows are written.
    """
    with committing(path), creation(path) as staging:
        about = (rows.schema.metadata or {}).get(b"description", b"").decode() or None
        write_deltalake(staging.root, rows, mode="error", description=about, commit_properties=properties)
        staging.push()


def append(table: DeltaTable, path: Path, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """Adds rows in one commit, and the columns and struct fields that the table lacked."""
    with committing(path):
        write_deltalake(table, rows, mode="append", schema_mode="merge", commit_properties=properties)


def overwrite(table: DeltaTable, path: Path, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """Puts rows in the place of all that the table has, in one commit, and their types in the place of its own."""
    with committing(path):
        write_deltalake(table, rows, mode="overwrite", schema_mode="overwrite", commit_properties=properties)


def log(path: Path, rows: pa.Table) -> None:
    """Adds rows to a table without an offset, which is created where it must be."""
    table = opened(path)
    if table is None:
        try:
            return create(path, rows)
        except OvertakenError:
            table = opened(path)
    assert table is not None  # noqa: S101  (it was there a moment ago)
    return append(table, path, rows)


def require_writable(name: str, path: Path) -> None:
    """Raises :class:`ConfigurationError` where nothing could be written at ``path``, before anything is read for it."""
    if any(len(os.fsencode(part)) > _LONGEST_NAME or "\0" in part for part in path.parts):
        raise _core.ConfigurationError(
            f"destination {name}: {path} cannot be written (a name too long, or with a null in it)"
        )
    try:
        with TemporaryFile(dir=next(folder for folder in (path / LOG, path, *path.parents) if os.path.lexists(folder))):
            pass
    except OSError as error:
        raise _core.ConfigurationError(f"destination {name}: {path} cannot be written ({error.strerror})") from None


@contextmanager
def committing(path: Path) -> Iterator[None]:
    """Around a commit to the table at ``path``: what it wrote is published, and its error is told."""
    try:
        yield
        publish(path)
    except CommitExistsError as error:
        raise OvertakenError(str(error)) from error
    except CommitFailedError as error:
        text = str(error)
        if any(sign in text.lower() for sign in _CONFLICT):
            raise OvertakenError(text) from error
        if "append-only" in text:
            raise _core.ConfigurationError(
                f"{path}: its table property delta.appendOnly forbids to change rows, which this way of writing must; "
                "unset it, or fill another table with scd_type APPEND_ONLY"
            ) from error
        raise
    except Exception as error:
        if any(sign in str(error) for sign in _FULL):
            raise _core.LakeflowTeamsError(
                f"{path}: the disk is full; what was committed stays, and the next run goes on from there"
            ) from error
        raise


def read(
    source: Path | DeltaTable,
    columns: Sequence[str] | None = None,
    filter: pc.Expression | None = None,  # noqa: A002
) -> pa.Table:
    """Rows of a Delta table, given by its path or opened.

    Read through a native file system: with the default one, Python code runs on Arrow's threads, and a process that ends
    right afterwards may be aborted.

    The filter is computed as a column: Arrow holds a pushed one against each file's statistics too, and can't compare those
    of the text that merges write, which are views.
    """
    table = DeltaTable(address(source)) if isinstance(source, Path) else source
    columns = list(columns) if columns is not None else None
    if _has_deletion_vectors(table):
        return _queried(table, columns, filter)
    files = fs.SubTreeFileSystem(url2pathname(urlsplit(table.table_uri).path), fs.LocalFileSystem())
    rows = table.to_pyarrow_dataset(filesystem=files)
    if filter is None:
        return rows.to_table(columns=columns)
    wanted = {name: pc.field(name) for name in columns or rows.schema.names}
    scanner = rows.scanner(columns={**wanted, _KEPT: filter})
    kept = (batch.filter(batch[_KEPT]) for batch in scanner.to_batches())
    return pa.Table.from_batches(kept, scanner.projected_schema).drop_columns(_KEPT)


def count(table: DeltaTable) -> int:
    """How many rows the table holds."""
    if _has_deletion_vectors(table):
        rows = pa.table(QueryBuilder().register("stored", table).execute("SELECT count(*) AS rows FROM stored"))
        return int(rows["rows"][0].as_py())
    return table.count()  # from the log, which counts the rows of files


def _has_deletion_vectors(table: DeltaTable) -> bool:
    return "deletionVectors" in (table.protocol().reader_features or ())


def _queried(table: DeltaTable, columns: Sequence[str] | None, filter: pc.Expression | None) -> pa.Table:  # noqa: A002
    """The same through deltalake's engine, which leaves out what deletion vectors mark as deleted. Arrow can't."""
    rows = pa.table(QueryBuilder().register("stored", table).execute("SELECT * FROM stored")).cast(arrow_schema(table))
    if filter is not None:
        rows = rows.filter(filter)
    return rows.select(columns) if columns is not None else rows


def is_empty(table: DeltaTable) -> bool:
    """Whether the table holds no file, so that a plain append is a merge."""
    return not table.file_uris()


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """The stored schema as pyarrow's."""
    return pa.schema(table.schema().to_arrow())
