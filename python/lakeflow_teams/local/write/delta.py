"""The one door to deltalake: tables by their path, commits that know of each other, and errors in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions
from pyarrow import fs

from lakeflow_teams import _core
from lakeflow_teams.local.write.data_file import Bounds, Writer
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.store.location import STAGING_OPTIONS, CommitExistsError, Location

#: Commits between two checkpoints: what is newer is read from the log anew for each commit, some 0.3 ms each.
CHECKPOINT_COMMITS = 20

#: A file of a store up to this size is fetched at once: asking for its parts, some milliseconds each, takes longer.
_WHOLE_BYTES = 8 << 20
_KEPT = "_kept"
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_CONFLICT = ("concurrent", "since last commit")
_UNSUPPORTED = "unsupported"
_INVALID = "failed validation check"
_MAPPED = "column-mapped tables"


class OvertakenError(Exception):
    """Another program committed to the table since it was read. What was to be written is not; reading anew helps."""


def opened(place: Target) -> DeltaTable | None:
    """The table in its newest version, or ``None`` where there is none."""
    location = locate(place)
    try:
        return location.table()
    except Exception as error:
        raise location.explained(error) from error


def create(
    path: Target,
    schema: pa.Schema,
    rows: Iterable[pa.Table],
    properties: CommitProperties | None = None,
    columns: Sequence[str] = (),
) -> int:
    """A new table with its first rows, and how many they are. Raises :class:`OvertakenError` where there is one by now.

    ``columns`` are those that files are found by.

    The commit is put in place as Delta's protocol wants it, only where the log has none of its number. deltalake itself, in
    any ``mode``, makes an append of it if another writer creates the table while the rows are written.
    """
    with committing(path), locate(path).creation() as staging:
        count = 0
        with Writer(fs.SubTreeFileSystem(staging.root, fs.LocalFileSystem()), schema, columns) as writer:
            for some in rows:
                writer.write(some)
                count += some.num_rows
            added = writer.close()
        configuration = {"delta.checkpointInterval": str(CHECKPOINT_COMMITS)}
        if columns:
            configuration["delta.dataSkippingStatsColumns"] = ",".join(columns)
        create_table_with_add_actions(
            staging.root,
            Schema.from_arrow(schema),
            added,
            mode="error",
            description=(schema.metadata or {}).get(b"description", b"").decode() or None,
            configuration=configuration,
            storage_options=STAGING_OPTIONS,
            commit_properties=properties,
        )
        staging.push()
    return count


def refreshed(table: DeltaTable, path: Location) -> DeltaTable:
    """The table in its newest version, of which only what came since is read."""
    try:
        path.refresh(table)
    except Exception as error:
        raise path.explained(error) from error
    return table


def commit(
    table: DeltaTable, path: Location, actions: list[AddAction | RemoveAction], properties: CommitProperties | None
) -> None:
    """Makes one commit of files that are written already.

    One that takes files out is made only on the version that it was made for: deltalake does not see that another commit
    took the same files out, if that was an OPTIMIZE, and their rows would be there twice.
    """
    properties = properties or CommitProperties()
    exact = any(isinstance(action, RemoveAction) for action in actions)
    if exact:
        properties.max_commit_retries = 0
    with committing(path):
        try:
            table.create_write_transaction(actions, "append", table.schema(), commit_properties=properties)
        except CommitFailedError as error:
            newest = opened(path) if exact and "append-only" not in str(error) else None
            if newest is not None and newest.version() > table.version():
                raise OvertakenError(f"{path}: another program committed to it") from error
            raise


def removal(path: str, *, change: bool = True) -> RemoveAction:
    """That a file is not the table's any more. ``change`` tells whether rows are other ones than before."""
    return RemoveAction(path, change, int(time() * 1000), partition_values={})


@dataclass(frozen=True)
class FileInfo:
    """A file of a table, as its log names it. ``bounds`` are least and greatest values of columns."""

    path: str
    rows: int
    modified: int
    bounds: Bounds


def files(table: DeltaTable, columns: Sequence[str]) -> list[FileInfo]:
    """The files of the table's version, oldest first."""
    actions = pa.table(table.get_add_actions())
    known = {side: _statistics(actions, side, columns) for side in ("min", "max")}
    found = []
    plain = zip(*(actions[name].to_pylist() for name in ("path", "num_records", "modification_time")), strict=True)
    for at, (path, rows, modified) in enumerate(plain):
        pairs = {name: (known["min"][name][at], known["max"][name][at]) for name in known["min"] if name in known["max"]}
        bounds = {name: pair for name, pair in pairs.items() if all(isinstance(one, (str, int)) for one in pair)}
        found.append(FileInfo(unquote(path), rows or 0, modified, bounds))
    return sorted(found, key=lambda file: (file.modified, file.path))


def _statistics(actions: pa.Table, side: str, columns: Sequence[str]) -> dict[str, list[object]]:
    if side not in actions.schema.names:
        return {}
    names = [field.name for field in actions.schema.field(side).type]
    return {name: pc.struct_field(actions[side], name).to_pylist() for name in columns if name in names}


def data_folder(table: DeltaTable) -> fs.FileSystem:
    """The table's folder, on this machine by a native file system.

    With deltalake's, Python code runs on Arrow's threads, and a process that ends right afterwards may be aborted.
    """
    folder = local_folder(table)
    if folder is None:
        return fs.PyFileSystem(DeltaStorageHandler.from_table(table._table))  # noqa: SLF001
    return fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())


def local_folder(table: DeltaTable) -> Path | None:
    """The same as a path of this machine, or ``None`` where it lies in a store."""
    uri = urlsplit(table.table_uri)
    return Path(url2pathname(uri.path)) if uri.scheme in {"", "file"} else None


def parquet(folder: fs.FileSystem, name: str) -> pq.ParquetFile:
    """A data file of a table."""
    file = folder.open_input_file(name)
    in_store = isinstance(folder, fs.PyFileSystem)
    if in_store and file.size() <= _WHOLE_BYTES:
        file = pa.BufferReader(file.readall())
    return pq.ParquetFile(file, pre_buffer=in_store)


@contextmanager
def opening(name: str, path: Location) -> Iterator[None]:
    """Around opening a data file of the table at ``path``. Raises :class:`LakeflowTeamsError` where it is gone."""
    try:
        yield
    except FileNotFoundError:
        raise _core.LakeflowTeamsError(
            f"{path}: another program removed {name}, which the table's log names; bring it back, RESTORE the table to a "
            "version whose files are there, or remove its folder to read everything again"
        ) from None


def append(table: DeltaTable, path: Target, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """Adds rows in one commit, and the columns and struct fields that the table lacked."""
    with committing(path):
        write_deltalake(table, rows, mode="append", schema_mode="merge", commit_properties=properties)


def overwrite(table: DeltaTable, path: Target, rows: pa.Table, properties: CommitProperties | None = None) -> None:
    """Puts rows in the place of all that the table has, in one commit, and their types in the place of its own."""
    with committing(path):
        write_deltalake(table, rows, mode="overwrite", schema_mode="overwrite", commit_properties=properties)


def log(path: Target, rows: pa.Table) -> None:
    """Adds rows to a table without an offset, which is created where it must be."""
    table = opened(path)
    if table is None:
        try:
            create(path, rows.schema, [rows])
        except OvertakenError:
            table = opened(path)
        else:
            return
    assert table is not None  # noqa: S101  (it was there a moment ago)
    append(table, path, rows)


@contextmanager
def reading(path: Location) -> Iterator[None]:
    """Around opening the table at ``path``."""
    try:
        yield
    except DeltaError as error:
        if _UNSUPPORTED in str(error).lower():
            raise _unsupported(path, str(error)) from error
        raise


def _unsupported(path: Location, text: str) -> _core.ConfigurationError:
    return _core.ConfigurationError(
        f"{path}: another program gave the table features that deltalake does not have ({' '.join(text.split())}); nothing "
        "was written; drop the features, or fill another destination_table"
    )


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
        if _UNSUPPORTED in text.lower():
            raise _unsupported(path, text) from error
        if "append-only" in text:
            raise _core.ConfigurationError(
                f"{path}: its table property delta.appendOnly forbids to change rows, which this way of writing must; "
                "unset it, or fill another table with scd_type APPEND_ONLY"
            ) from error
        raise
    except Exception as error:
        if _INVALID in str(error):  # it shows the rows, of which no error may
            raise _core.ConfigurationError(
                f"{path}: a constraint of the table refuses what is to be written; drop the constraint, or mend it"
            ) from None
        if _MAPPED in str(error):
            raise _core.ConfigurationError(
                f"{path}: another program renamed or dropped columns of the table (column mapping), and deltalake can add "
                "none to such a table; nothing was written; name them as they were, or fill another destination_table"
            ) from error
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
    rows = table.to_pyarrow_dataset(filesystem=data_folder(table))
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


#: Features of a table's protocol that plain files meet, as long as what the comment says is not in use.
_PLAIN_FEATURES = {
    "appendOnly",
    "changeDataFeed",  # delta.enableChangeDataFeed
    "checkConstraints",  # delta.constraints
    "columnMapping",  # delta.columnMapping.mode
    "deletionVectors",  # in any file
    "domainMetadata",
    "generatedColumns",  # in a column's metadata
    "invariants",  # in a column's metadata
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
}


def is_plain(table: DeltaTable) -> bool:
    """Whether the table is no more than its files and their rows, which can be written without deltalake's engine."""
    protocol, metadata = table.protocol(), table.metadata()
    if not {*(protocol.reader_features or ()), *(protocol.writer_features or ())} <= _PLAIN_FEATURES:
        return False
    used = {name: value for name, value in metadata.configuration.items() if value not in ("none", "false")}
    asks = ("delta.enableChangeDataFeed", "delta.columnMapping.mode", "delta.constraints.")
    if metadata.partition_columns or any(name.startswith(asks) for name in used):
        return False
    if any(name.startswith("delta.") for field in table.schema().fields for name in field.metadata):
        return False
    return not _has_deletion_vectors(table) or table.deletion_vectors().read_all().num_rows == 0


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
