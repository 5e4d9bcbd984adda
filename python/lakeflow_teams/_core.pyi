"""The native core. Everything that touches the network, JSON or Arrow happens here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, final, type_check_only

__all__ = [
    "AuthenticationError",
    "Batch",
    "BatchStream",
    "Client",
    "ConfigurationError",
    "GraphEmulator",
    "LakeflowTeamsError",
    "MicroBatch",
    "NotFoundError",
    "PermissionDeniedError",
    "Plan",
    "ProtocolError",
    "Schema",
    "ServiceError",
    "ThrottledError",
    "__debug_build__",
    "__version__",
    "cost",
    "counts",
    "login_errors",
    "offset_info",
    "options",
    "schema",
    "tables",
]

__version__: str
__debug_build__: bool
"""Whether the module was built without optimisation. Importing such a module is a :class:`RuntimeWarning`."""

@type_check_only
class TableInfo(TypedDict):
    """One table's declaration."""

    name: str
    description: str
    primary_keys: list[str]
    cursor_field: str | None
    ingestion_type: Literal["snapshot", "cdc", "cdc_with_deletes", "append"]
    permissions: list[str]
    reading: str
    """The name of the pass that the table comes from; tables of equal names can be read together."""
    endpoint: str
    required_options: str
    json_columns: list[str]
    """Text columns that hold JSON."""
    wider_permissions: dict[str, list[str]]
    """For each permission those that include it."""
    prerequisite: str | None
    """What the tenant must have beside permissions."""
    set_keys: list[str] | None
    """The key of the message whose items the rows are: a newer version of it replaces all of them."""

@type_check_only
class OptionInfo(TypedDict):
    """One option's entry in the catalogue."""

    name: str
    door: Literal["connection", "table"]
    kind: str
    default: str | None
    description: str
    secret: bool
    allowed: str
    """What a value must look like."""

def tables() -> list[TableInfo]:
    """Every table, in the order the documentation lists them."""

def options() -> list[OptionInfo]:
    """Every connection and table option."""

def login_errors() -> list[tuple[list[int], str]]:
    """AADSTS numbers of Entra ID, and what to do about them."""

@type_check_only
class OffsetInfo(TypedDict):
    """What an offset tells."""

    finished: bool
    """No round is under way."""
    failed: bool
    """A scope failed in the round, and its error may still be to come."""
    until: str | None
    """The server's clock when the round began, in ISO 8601."""
    without_clock: str
    """Equal for offsets that differ in their clock only."""

def offset_info(offset: str) -> OffsetInfo:
    """What an offset tells. Of a text that is no offset of this connector nothing is known; it is not refused here."""

def splice_row_groups(sources: Sequence[str], places: Sequence[tuple[int, int]], target: str) -> None:
    """Writes a new Parquet file of row groups of others, copied without being decoded.

    ``places`` are pairs of a source's index and a row group's number, in the order of the new file. All sources must have one
    schema. Raises :class:`OSError`, also for a source that is no such file, and where ``target`` exists.
    """

def counts() -> list[tuple[str, float | None, str]]:
    """The counts of a tenant that costs depend on: name, what is assumed without it, and what it means."""

def cost(
    table: str,
    options: Mapping[str, str],
    tenant: Mapping[str, float],
    *,
    run: str = "first",
    requests_per_second: float | None = None,
) -> str:
    """What one pass costs, as JSON text: ``requests``, the ``pace`` they are sent at, and the ``parts`` they are made of.

    ``run`` is ``first``, ``quiet`` (nothing is new) or ``daily`` (nothing is new, and a sweep is due).
    """

def schema(table: str, options: Mapping[str, str], columns: Sequence[str] | None = None) -> Schema:
    """A table's schema, without a connection."""

class LakeflowTeamsError(RuntimeError):
    """Base of the connector's errors.

    ``status`` (int or None), ``code`` (Graph's ``error.code`` or the AADSTS number), ``request_id``, ``endpoint``
    (a path template) and ``scope`` say what was asked and what came back.
    """

    status: int | None
    code: str | None
    request_id: str | None
    endpoint: str | None
    scope: str | None

class ConfigurationError(LakeflowTeamsError, ValueError): ...
class AuthenticationError(LakeflowTeamsError): ...
class PermissionDeniedError(LakeflowTeamsError): ...
class NotFoundError(LakeflowTeamsError): ...
class ThrottledError(LakeflowTeamsError): ...
class ServiceError(LakeflowTeamsError): ...
class ProtocolError(LakeflowTeamsError): ...

@final
class Schema:
    """An Arrow schema; implements the Arrow PyCapsule interface."""

    @property
    def names(self) -> list[str]: ...
    def to_dict(self) -> dict[str, Any]:
        """``{"type": "struct", "fields": [...]}`` in Spark's JSON schema format (``StructType.fromJson`` takes it)."""
    def __arrow_c_schema__(self) -> object: ...
    def _repr_html_(self) -> str: ...

@final
class Batch:
    """An Arrow record batch; implements the Arrow PyCapsule interface."""

    @property
    def num_rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def schema(self) -> Schema: ...
    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts of plain Python values, without pyarrow."""
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class BatchStream:
    """A table being read. Iterate it (also with ``async for``), or hand it to anything that takes an Arrow stream. Can be consumed once."""

    @property
    def schema(self) -> Schema: ...
    def __iter__(self) -> BatchStream: ...
    def __next__(self) -> Batch: ...
    def __aiter__(self) -> BatchStream: ...
    async def __anext__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class MicroBatch:
    """What one step of an incremental read brought."""

    @property
    def tables(self) -> dict[str, list[Batch]]: ...
    @property
    def deletes(self) -> dict[str, list[Batch]]:
        """Keys and cursor of deleted rows, for tables of type ``cdc_with_deletes``."""
    @property
    def offset(self) -> str:
        """Where the next step starts, as JSON text. Equal text means that nothing was left to do."""
    @property
    def finished(self) -> bool:
        """The round is over: everything up to the round's ``until`` has been read.

        Of a round in which a scope failed this stays false: the next step raises its error.
        """
    @property
    def full_since(self) -> str | None:
        """Everything has been read again since then: rows with an older ``observed_at`` are gone."""
    @property
    def num_rows(self) -> int: ...

@final
class Plan:
    """A micro-batch that has been fixed, but not read."""

    @property
    def offset(self) -> str: ...
    @property
    def partitions(self) -> list[str]:
        """JSON texts, small enough to travel with a Spark task."""

@final
class Client:
    """One connection: a token cache, a pool, rate budgets and a report, shared by everything read through it."""

    def __new__(cls, options: Mapping[str, str], *, credential: object | None = None, strict: bool = True) -> Client: ...
    @property
    def now(self) -> str | None:
        """Graph's clock as ISO 8601 with milliseconds, once Graph has answered."""
    @property
    def warnings(self) -> list[str]: ...
    def schema(self, table: str, options: Mapping[str, str], columns: Sequence[str] | None = None) -> Schema: ...
    def validate(self, tables: Sequence[str], options: Mapping[str, str]) -> None:
        """Raises :class:`ConfigurationError` where a read of the tables would, without a request."""
    def scopes(self, table: str, options: Mapping[str, str]) -> list[str]:
        """What a read of the table can be divided by: the teams or users that the options name or discover, sorted.

        Empty for tables that are one list.
        """
    def read(
        self,
        table: str,
        options: Mapping[str, str],
        columns: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
    ) -> BatchStream:
        """Reads a whole table once: each key once, in its newest version. ``scopes`` narrows it to some of :meth:`scopes`."""
    def plan(
        self,
        table: str,
        options: Mapping[str, str],
        offset: str | None,
        max_scopes: int | None = None,
        end: str | None = None,
    ) -> Plan:
        """Fixes a micro-batch before it is read: where it ends, and partitions that can be read anywhere, any number of times.

        Equal offsets and no partitions mean that there is nothing to do, or that it is too early to ask again.
        With ``end``, the offset of an earlier plan, that plan's partitions are made again for a replay.
        """
    def read_partition(
        self,
        table: str,
        options: Mapping[str, str],
        partition: str,
        columns: Sequence[str] | None = None,
        *,
        deletes: bool = False,
    ) -> BatchStream:
        """Reads one partition of a plan; ``deletes=True`` gives the deleted keys instead of the rows."""
    def read_many(self, tables: Sequence[str], options: Mapping[str, str]) -> Iterator[tuple[str, Batch]]:
        """The same for tables that come from one pass, such as ``messages`` and ``message_replies``."""
    def micro_batch(
        self,
        tables: Sequence[str],
        options: Mapping[str, str],
        offset: str | None,
        *,
        max_rows: int | None = None,
        max_pages: int | None = None,
    ) -> MicroBatch:
        """One step of an incremental read of tables that share a pass (``messages`` and ``message_replies``; else one table).

        ``offset=None`` starts from nothing. A snapshot table is read whole in one step and always has ``finished=True``.
        ``max_records_per_batch`` and ``max_pages_per_batch`` cap the step; ``max_rows`` and ``max_pages`` where these options
        are not given. Without caps the step reads to the end of the round.
        """
    def check(self, tables: Sequence[tuple[str, Mapping[str, str]]]) -> str:
        """What a read of these tables, each with its options, would meet, as JSON text.

        It holds how authentication went, and for each table its permissions, what one cheap request was answered, and the
        remedy. ``lakeflow_teams.results.check`` gives it a shape.
        """
    def sample(self, tables: Sequence[tuple[str, Mapping[str, str]]]) -> str:
        """The ``counts`` that the costs of these tables depend on, from a few requests, as JSON text.

        ``notes`` say how they were extrapolated, ``requests`` how many it took.
        """
    def report(self) -> str:
        """Requests, retries, throttled seconds, bytes, rows and skipped scopes since the client was made, as JSON text."""
    def report_scopes(self) -> str:
        """What became of each scope, as a JSON list: scope, status, reason, rows, requests, throttled_seconds."""

@final
class GraphEmulator:
    """A Microsoft Graph tenant on loopback, for tests, demos and benchmarks. Deterministic from its seed."""

    def __new__(
        cls,
        *,
        teams: int = 5,
        channels_per_team: int = 3,
        messages_per_channel: int = 40,
        replies_per_message: float = 1.0,
        users: int = 20,
        chats: int = 10,
        messages_per_chat: int = 20,
        seed: int = 7,
        port: int = 0,
        rate_limits: bool = False,
        time_scale: float = 1.0,
        latency_ms: int = 0,
        export_lag_seconds: int = 0,
        history_days: int = 400,
        gzip: bool = True,
        **knobs: Any,
    ) -> GraphEmulator: ...
    @property
    def url(self) -> str: ...
    @property
    def options(self) -> dict[str, str]:
        """Connection options that reach this tenant."""
    @property
    def now(self) -> str: ...
    @property
    def connections(self) -> int: ...
    def __enter__(self) -> GraphEmulator: ...
    def __exit__(self, *exc: object) -> None: ...
    def close(self) -> None: ...
    def mutate(self, **counts: Any) -> dict[str, Any]:
        """Changes the tenant; returns ``now`` and what was touched, by kind."""
    def advance(self, seconds: float) -> None: ...
    def truth(self, table: str) -> list[dict[str, Any]]: ...
    def truth_json(self, table: str) -> str: ...
    def unreadable_teams(self) -> list[str]:
        """Ids of teams that are listed and answer 403 or 404."""
    def fault(self, **rule: Any) -> None: ...
    def clear_faults(self) -> None: ...
    def set(self, **knobs: Any) -> None: ...
    def requests(self) -> list[dict[str, Any]]: ...
    def request_counts(self) -> dict[str, int]: ...
    def clear_requests(self) -> None: ...
