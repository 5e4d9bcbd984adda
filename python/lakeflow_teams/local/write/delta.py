"""The one door to deltalake: tables by their path, commits that know of each other, and errors in a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.store.location import CommitExistsError

_KEPT = "_kept"
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_CONFLICT = ("concurrent", "since last commit")


class OvertakenError(Exception):
    """Another program committed to the table since it was read. What was to be written is not; reading anew helps."""


def opened(place: Target) -> DeltaTable | None:
    """The table in its newest version, or ``None`` where there is none."""
    location = locate(place)
    try:
        return location.table()
    except Exception as error:
        raise location.explained(error) from error


def create(path: Target, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """A new table with its first rows. Raises :class:`OvertakenError` where there is one by now.

    The commit is put in place as Delta's protocol wants it, only where the log has none of its number. deltalake itself, in
    any ``mode``, makes an append of it if another writer creates the table while the rows are written.
    """
    with committing(path), locate(path).creation() as staging:
        write_deltalake(staging.root, rows, mode="error", commit_properties=properties)
        staging.push()


def append(table: DeltaTable, path: Target, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """Adds rows in one commit, and the columns and struct fields that the table lacked."""
    with committing(path):
        write_deltalake(table, rows, mode="append", schema_mode="merge", commit_properties=properties)


def log(path: Target, rows: pa.Table) -> None:
    """Adds rows to a table without an offset, which is created where it must be."""
    table = opened(path)
    if table is None:
        try:
            return create(path, rows)
        except OvertakenError:
            table = opened(path)
    assert table is not None  # noqa: S101  (it was there a moment ago)
    return append(table, path, rows)


@contextmanager
def committing(place: Target) -> Iterator[None]:
    """Around a commit to the table at ``place``: what it wrote is published, and its error is told."""
    path = locate(place)
    try:
        yield
        path.publish()
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
        raise path.explained(error) from error


def read(
    source: Target | DeltaTable,
    columns: Sequence[str] | None = None,
    filter: pc.Expression | None = None,  # noqa: A002
) -> pa.Table:
    """Rows of a Delta table, given by its place or opened.

    A table in a folder is read through a native file system: with the default one, Python code runs on Arrow's threads, and
    a process that ends right afterwards may be aborted.

    The filter is computed as a column: Arrow holds a pushed one against each file's statistics too, and can't compare those
    of the text that merges write, which are views.
    """
    table = source if isinstance(source, DeltaTable) else opened(locate(source))
    if table is None:
        raise FileNotFoundError(f"{source}: there is no Delta table")
    columns = list(columns) if columns is not None else None
    if _has_deletion_vectors(table):
        return _queried(table, columns, filter)
    rows = table.to_pyarrow_dataset(filesystem=_native_files(table))
    if filter is None:
        return rows.to_table(columns=columns)
    wanted = {name: pc.field(name) for name in columns or rows.schema.names}
    scanner = rows.scanner(columns={**wanted, _KEPT: filter})
    kept = (batch.filter(batch[_KEPT]) for batch in scanner.to_batches())
    return pa.Table.from_batches(kept, scanner.projected_schema).drop_columns(_KEPT)


def _native_files(table: DeltaTable) -> fs.FileSystem | None:
    """The files of a table in a folder; of one in a store, ``None``."""
    uri = urlsplit(table.table_uri)
    if uri.scheme not in {"", "file"}:
        return None
    return fs.SubTreeFileSystem(url2pathname(uri.path), fs.LocalFileSystem())


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
