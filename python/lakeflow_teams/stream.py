"""What reading a table returns: one stream, for whichever library takes it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.results import html
from lakeflow_teams.results.report import Report

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

#: Seconds after which a read counts as long and shows its bar.
BAR_DELAY_SECONDS = 1.0


class TableStream:
    """A table being read, batch by batch while it is consumed, with bounded memory. It can be consumed once.

    In one call: :meth:`to_pandas`, :meth:`to_polars`, :meth:`to_arrow`, :meth:`to_duckdb`. Piece by piece: iterate it, also
    with ``async for``; each :class:`Batch` holds a few thousand rows. Anything else that takes an Arrow stream takes it
    too (``deltalake.write_deltalake(path, stream)``), without a copy, but shows an error as text of its own.
    """

    def __init__(
        self, table: str, stream: _core.BatchStream, report: Callable[[], Report], *, progress: bool | None = None
    ) -> None:
        self._table = table
        self._stream = stream
        self._report = report
        self._bar = _bar(table, progress)
        self._batches = 0
        self._state = "new"

    @property
    def schema(self) -> _core.Schema:
        """The Arrow schema; it can be asked for without reading."""
        return self._stream.schema

    def to_arrow(self) -> pa.Table:
        """Everything as a ``pyarrow.Table``."""
        arrow = need("pyarrow", "notebook", "to_arrow")
        self._require_unread()
        table: pa.Table = arrow.Table.from_batches(map(arrow.record_batch, self), arrow.schema(self.schema))
        return table

    def to_pandas(self) -> pd.DataFrame:
        """Everything as a ``pandas.DataFrame``: text as its string type, structs as dicts, lists as arrays."""
        need("pandas", "notebook", "to_pandas")
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_polars(self) -> pl.DataFrame:
        """Everything as a ``polars.DataFrame``, structs and lists included."""
        polars = need("polars", "notebook", "to_polars")
        need("pyarrow", "notebook", "to_polars")
        frame: pl.DataFrame = polars.DataFrame(self.to_arrow())
        return frame

    def to_duckdb(self) -> duckdb.DuckDBPyRelation:
        """Everything as a duckdb relation, which can be queried any number of times."""
        database = need("duckdb", "notebook", "to_duckdb")
        relation: duckdb.DuckDBPyRelation = database.from_arrow(self.to_arrow())
        return relation

    def __iter__(self) -> TableStream:
        self._require_open()
        return self

    def __next__(self) -> _core.Batch:
        try:
            batch = next(self._stream)
        except StopIteration:
            self._end("read to its end")
            raise
        except BaseException:
            self._end("ended by an error")
            raise
        return self._seen(batch)

    def __aiter__(self) -> TableStream:
        self._require_open()
        return self

    async def __anext__(self) -> _core.Batch:
        try:
            batch = await anext(self._stream)
        except StopAsyncIteration:
            self._end("read to its end")
            raise
        except BaseException:
            self._end("ended by an error")
            raise
        return self._seen(batch)

    def __arrow_c_schema__(self) -> object:
        return self._stream.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        self._require_unread()
        self._state = "taken by another library"
        return self._stream.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"TableStream(table={self._table!r})"

    def _repr_html_(self) -> str:
        how = "not read yet: <code>.to_polars()</code> or another reads it"
        if self._batches or self._state != "new":
            how = f"{self._used()}: <code>read({self._table!r})</code> reads it again"
        return f"<b>{self._table}</b>, {how}{html.schema(self.schema)}"

    def _require_open(self) -> None:
        """Raises where there is nothing left to read: a loop would find an empty table."""
        if self._state != "new":
            raise _core.LakeflowTeamsError(
                f"the stream of {self._table} can be consumed once, and was {self._used()}; "
                f"call read({self._table!r}, ...) again, or keep what it gave"
            )

    def _require_unread(self) -> None:
        """The same for those that promise the whole table."""
        self._require_open()
        if self._batches:
            raise _core.LakeflowTeamsError(
                f"the stream of {self._table} is {self._used()}, so it is not the whole table any more; "
                f"call read({self._table!r}, ...) again"
            )

    def _used(self) -> str:
        return self._state if self._state != "new" else f"begun ({self._batches} batches were taken)"

    def _seen(self, batch: _core.Batch) -> _core.Batch:
        self._batches += 1
        if self._bar is not None:
            report = self._report()
            self._bar.set_postfix(requests=report.requests, throttled=f"{report.throttled_seconds:.0f}s", refresh=False)
            self._bar.update(len(batch))
        return batch

    def _end(self, how: str) -> None:
        if self._state == "new":
            self._state = how
        if self._bar is not None:
            self._bar.close()


def _bar(table: str, wanted: bool | None) -> Any:  # noqa: FBT001
    """A progress bar on stderr, or ``None``. Unless asked for, it is shown to people only, not in jobs and pipes."""
    if wanted is False or (wanted is None and not (_is_interactive() and find_spec("tqdm"))):
        return None
    tqdm = need("tqdm", "notebook", "progress=True").tqdm
    return tqdm(desc=table, unit=" rows", unit_scale=True, delay=BAR_DELAY_SECONDS, file=sys.stderr)


def _is_interactive() -> bool:
    """Whether stderr is a terminal, or this is a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return sys.stderr.isatty() or type(shell).__name__ == "ZMQInteractiveShell"
