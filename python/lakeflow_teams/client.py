"""The notebook's face: a connection whose tables go to anything that takes Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from lakeflow_teams import _core
from lakeflow_teams.environment import connection_from_environment
from lakeflow_teams.options import as_options, show
from lakeflow_teams.report import Report


class TeamsClient:
    """A connection to one tenant.

    Options are keyword arguments (or one mapping) with Python values: ``TeamsClient(tenant_id=..., client_id=...,
    client_secret=...)``. ``credential`` takes any object with ``get_token(scope)``, such as those of azure-identity.
    ``lakeflow-teams`` knows every option; a wrong one raises :class:`ConfigurationError` here, before any request.

    Reading goes through the Arrow PyCapsule interface, so one call is enough::

        client = TeamsClient(tenant_id=..., client_id=..., client_secret=...)
        polars.DataFrame(client.read("teams"))
        pyarrow.table(client.read("messages", fetch_all_teams=True, fetch_all_channels=True))
        pandas.DataFrame.from_arrow(client.read("channels", team_id=["...", "..."]))
        duckdb.from_arrow(client.read("members", fetch_all_teams=True))

    A client holds a token cache, a connection pool and rate budgets: make one and keep it. It cannot be pickled.
    """

    def __init__(
        self, options: Mapping[str, Any] | None = None, /, *, credential: object | None = None, **more: Any
    ) -> None:
        self._options = as_options({**(options or {}), **more})
        self._core = _core.Client(self._options, credential=credential, strict=True)

    @classmethod
    def from_environment(cls, *, credential: object | None = None, **options: Any) -> TeamsClient:
        """A client whose missing options come from ``AZURE_*`` and ``LAKEFLOW_TEAMS_*`` variables."""
        return cls(connection_from_environment(as_options(options)), credential=credential)

    def tables(self) -> list[_core.TableInfo]:
        """Every table: name, description, keys, cursor, how it is ingested, permissions and required options."""
        return _core.tables()

    def schema(self, table: str, *, columns: Sequence[str] | None = None, **options: Any) -> _core.Schema:
        """The Arrow schema of a table; ``pyarrow.schema(...)`` takes it. Sends no request."""
        return self._core.schema(table, as_options(options), columns)

    def read(self, table: str, *, columns: Sequence[str] | None = None, **options: Any) -> _core.BatchStream:
        """Reads a table once: each key once, in its newest version.

        Returns a stream that is read while it is consumed, once, with bounded memory: iterate it (or ``async for``),
        or hand it to anything that takes an Arrow stream. Options that the table lacks, or that are wrong, raise
        :class:`ConfigurationError`; what the server refuses raises its error class while reading.
        """
        return self._core.read(table, as_options(options), columns)

    def read_async(self, table: str, *, columns: Sequence[str] | None = None, **options: Any) -> _core.BatchStream:
        """The same as :meth:`read`, for ``async for batch in client.read_async(...)``."""
        return self.read(table, columns=columns, **options)

    def read_many(self, tables: Sequence[str], **options: Any) -> Iterator[tuple[str, _core.Batch]]:
        """Reads tables that come from one pass, such as ``messages`` and ``message_replies``: (table, batch) pairs."""
        return self._core.read_many(list(tables), as_options(options))

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
