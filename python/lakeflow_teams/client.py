"""The notebook's face: a connection whose tables go to pandas, polars, pyarrow, duckdb, or anything that takes Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from lakeflow_teams import _core
from lakeflow_teams.options import as_options, show
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.results.check import CheckResult, run_check
from lakeflow_teams.results.html import grid
from lakeflow_teams.results.report import Report
from lakeflow_teams.stream import TableStream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from lakeflow_teams.options.typed import ConnectionOptions, TableName, TableOptions


def _reading(options: Mapping[str, Any]) -> dict[str, str]:
    """Options of a read. Frames are sorted, grouped and subtracted by time: times are timestamps unless told otherwise."""
    return as_options({"timestamps": "timestamp", **options})


class TableList(list["_core.TableInfo"]):
    """The tables' declarations: a list of dicts that shows as a table in a notebook."""

    def _repr_html_(self) -> str:
        rows = (
            (
                info["name"],
                info["description"],
                info["ingestion_type"],
                ", ".join(info["primary_keys"]),
                info["cursor_field"],
                info["required_options"],
                ", ".join(info["permissions"]),
            )
            for info in self
        )
        return grid(("table", "holds", "how", "key", "cursor", "options", "permissions"), rows)


class TeamsClient:
    """A connection to one tenant.

    Options are keyword arguments (or one mapping) with Python values: ``TeamsClient(tenant_id=..., client_id=...,
    client_secret=...)``; ``True``, numbers, lists, dates and paths are fine. ``credential`` takes any object with
    ``get_token(scope)``, such as those of azure-identity. A wrong option raises :class:`ConfigurationError` here, before
    any request, and names the nearest right one.

    For example, without an account::

        graph = GraphEmulator(teams=5)
        client = TeamsClient(graph.options)
        client.read("teams").to_pandas()
        client.read("messages", fetch_all_teams=True, fetch_all_channels=True, start_date="2025-01-01").to_polars()
        client.report

    A client holds a token cache, a connection pool and rate budgets: make one and keep it. It can be used from several
    threads. It cannot be pickled.
    """

    def __init__(
        self,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        credential: object | None = None,
        **more: Unpack[ConnectionOptions],
    ) -> None:
        self._options = as_options({**(options or {}), **more})
        self._core = _core.Client(self._options, credential=credential, strict=True)

    @classmethod
    def from_environment(cls, *, credential: object | None = None, **options: Unpack[ConnectionOptions]) -> TeamsClient:
        """A client whose missing options come from ``AZURE_*`` and ``LAKEFLOW_TEAMS_*`` variables.

        ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID`` and ``AZURE_CLIENT_SECRET`` are enough.
        """
        return cls(connection_from_environment(as_options(options)), credential=credential)

    def tables(self) -> TableList:
        """Every table: name, description, keys, cursor, how it is ingested, permissions and required options.

        Sends no request. ``ingestion_type`` is ``snapshot`` (read whole each time), ``cdc`` (changes by ``cursor_field``),
        ``cdc_with_deletes`` or ``append``.
        """
        return TableList(_core.tables())

    def schema(
        self, table: TableName | str, *, columns: str | Sequence[str] | None = None, **options: Unpack[TableOptions]
    ) -> _core.Schema:
        """The Arrow schema of a table; ``pyarrow.schema(...)`` takes it. Sends no request."""
        return self._core.schema(table, _reading(options), _names(columns))

    def read(
        self,
        table: TableName | str,
        *,
        columns: str | Sequence[str] | None = None,
        progress: bool | None = None,
        **options: Unpack[TableOptions],
    ) -> TableStream:
        """Reads a table once: each key once, in its newest version.

        ``columns`` (a list, or text such as ``"id, subject"``) narrows what is decoded. Times are timestamps (UTC,
        microseconds; null where Graph writes the year 1 for none), and with ``timestamps="text"`` what Graph sent.
        ``progress`` shows a bar or does not; left alone, one appears on a terminal and in a notebook when reading takes
        longer than a second, and never in a job. The stream is read while it is consumed:
        ``.to_pandas()``, ``.to_polars()``, ``.to_arrow()``, ``.to_duckdb()``, or iterate it.

        Options that the table lacks, or that are wrong, raise :class:`ConfigurationError` here. What the server refuses
        raises while reading: :class:`AuthenticationError` (the credential), :class:`PermissionDeniedError` (403, naming the
        permission), :class:`NotFoundError` (404 of what an option names), :class:`ThrottledError` and
        :class:`ServiceError` (after all retries). A permission of each table is in :meth:`tables`.
        """
        stream = self._core.read(table, _reading(options), _names(columns), keeps_doubtful=True)
        return TableStream(table, stream, lambda: self.report, progress=progress)

    def read_async(
        self,
        table: TableName | str,
        *,
        columns: str | Sequence[str] | None = None,
        progress: bool | None = None,
        **options: Unpack[TableOptions],
    ) -> TableStream:
        """The same as :meth:`read`, for ``async for batch in client.read_async(...)``."""
        return self.read(table, columns=columns, progress=progress, **options)

    def read_many(
        self, tables: str | Sequence[TableName | str], **options: Unpack[TableOptions]
    ) -> Iterator[tuple[str, _core.Batch]]:
        """Reads tables that come from one pass, such as ``messages`` and ``message_replies``: (table, batch) pairs."""
        return self._core.read_many(_names(tables) or [], _reading(options))

    def check(self, tables: str | Sequence[str] | None = None, **options: Any) -> CheckResult:
        """Whether a read of these tables, or of all, would be allowed.

        Reads the permissions in the token, compares them with those that the tables need, and sends one cheap request for
        each table. Options are those of :meth:`read`; those that name a team, channel, user or chat are asked about that
        one, otherwise the first that a list shows. A refused token is in the result, not an exception.
        """
        names = _names(tables)
        chosen = [info["name"] for info in _core.tables()] if names is None else names
        return run_check(self._core, self._options, [(name, as_options(options)) for name in chosen])

    @property
    def report(self) -> Report:
        """Requests, retries, throttled time, bytes, rows and skipped scopes since the client was made."""
        return Report.parse(self._core.report())

    def report_rows(self) -> list[dict[str, Any]]:
        """What became of each scope since the client was made: one mapping for each, ready for JSON or a data frame.

        ``scope`` is what was asked, such as ``team 1234`` or ``channel 1234/19:...``; ``status`` is ``ok``, ``skipped`` or
        ``failed``, with the ``reason``; ``rows`` were taken from its answers, ``requests`` sent for it, and
        ``throttled_seconds`` waited because Graph asked for it. ``pyarrow.Table.from_pylist`` makes a table of it.
        """
        rows: list[dict[str, Any]] = json.loads(self._core.report_scopes())
        return rows

    @property
    def warnings(self) -> list[str]:
        """Options that were accepted but do not do what their name says."""
        return self._core.warnings

    def __repr__(self) -> str:
        return show("TeamsClient", self._options)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a TeamsClient holds a connection and its secret, so it cannot be pickled; make one per process")


def _names(given: str | Sequence[str] | None) -> list[str] | None:
    """Names given as a list, or as text with commas: a text is a sequence too, of its letters."""
    if isinstance(given, str):
        return [name for name in (part.strip() for part in given.split(",")) if name]
    return None if given is None else list(given)
