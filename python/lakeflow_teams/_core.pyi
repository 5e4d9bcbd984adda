"""The native core. Everything that touches the network, JSON or Arrow happens here."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Literal, TypedDict, final, type_check_only

from typing_extensions import Required, Unpack

__all__ = [
    "ActivityRows",
    "AuthenticationError",
    "Batch",
    "BatchStream",
    "Bot",
    "Broadcast",
    "Client",
    "ConfigurationError",
    "DataFile",
    "FileLayout",
    "GraphEmulator",
    "Import",
    "KeyHashes",
    "LakeflowTeamsError",
    "Listener",
    "MicroBatch",
    "NotFoundError",
    "NotificationDecoder",
    "Notifications",
    "PermissionDeniedError",
    "Plan",
    "ProtocolError",
    "RecentKeys",
    "Schema",
    "ServiceError",
    "ThrottledError",
    "__debug_build__",
    "__version__",
    "card_columns",
    "card_functions",
    "card_size",
    "channel_names",
    "check_card",
    "cost",
    "counts",
    "existing_containers",
    "expand_card",
    "listen_status",
    "login_errors",
    "needed_counts",
    "offset_info",
    "options",
    "plan_subscriptions",
    "rebase_import",
    "resolve_recipients",
    "rotate_listen_key",
    "schema",
    "splice_row_groups",
    "stage_import",
    "tables",
]

__version__: str
__debug_build__: bool
"""Whether the module was built without optimisation. Importing such a module is a :class:`RuntimeWarning`."""

@type_check_only
class SpoolInfo(TypedDict):
    """``items`` and ``bytes``, the ``oldest`` arrival, ``damaged`` bytes, and in ``aside`` items whose key is unknown."""

    items: int
    bytes: int
    oldest: str | None
    damaged: int
    aside: int

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
    may_be_empty: bool
    """That the whole table holds nothing is usual."""
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

def splice_row_groups(sources: Sequence[str], groups: Sequence[Sequence[tuple[int, int]]], target: str) -> None:
    """Writes a new Parquet file of row groups of others, copied without being decoded.

    ``places`` are pairs of a source's index and a row group's number, in the order of the new file. All sources must have one
    schema. Raises :class:`OSError`, also for a source that is no such file, and where ``target`` exists.
    """

@final
class FileLayout:
    """The columns that files of a table have. ``sample`` is the content of such a Parquet file, which may be without rows."""

    def __new__(cls, sample: bytes) -> FileLayout: ...
    def open(self, path: str) -> DataFile | None:
        """Reads a file's footer. ``None`` where it has other columns, or is compressed by something else than Snappy.

        Raises :class:`FileNotFoundError`, and :class:`OSError` for what is no Parquet file.
        """

@final
class DataFile:
    """A Parquet file whose footer was read. Rows are Arrow tables, with columns in the file's order.

    Raises :class:`OSError` where the file is damaged or gone by now, and for what it does not have.
    """

    def groups(self, columns: Sequence[str]) -> list[tuple[int, dict[str, tuple[Any, Any]], dict[str, int]]]:
        """Of each row group how many rows it has, and by column the least and greatest value and the number of nulls.

        What the file does not say is left out, and so are limits of anything but text, whole numbers and times, which are
        numbers as the file has them.
        """
    def fitting(self, column: str, groups: Sequence[int], keys: KeyHashes) -> list[int]:
        """The numbers of rows of some row groups, ascending, whose text in a column may be one of the keys, which are of one column."""
    def read(self, columns: Sequence[str], groups: Sequence[int]) -> object:
        """All rows of some row groups."""
    def take(self, columns: Sequence[str], rows: Sequence[int]) -> object:
        """Rows by their number in the file, ascending."""

@final
class KeyHashes:
    """The keys of some rows, a hash of five bytes each. ``keys`` is an Arrow table of text columns, else :class:`TypeError`.

    Keys of one hash are taken for the same: what is said to be there is to be looked up, and what is not is not there.
    """

    def __new__(cls, keys: object) -> KeyHashes: ...
    @property
    def repeated(self) -> list[int]:
        """The numbers of the rows that have a key of another one too, ascending. It may name rows that only seem to."""

@final
class RecentKeys:
    """By the path of a file the keys of its rows; beyond ``most_bytes`` the oldest files are forgotten."""

    def __new__(cls, most_bytes: int) -> RecentKeys: ...
    def note(self, paths: Sequence[str], keys: KeyHashes) -> None:
        """New files, and the keys of the rows in all of them."""

    def follow(self, before: Sequence[str], after: Sequence[str]) -> None:
        """The rows of some files are in others now. Where one of them is not known, neither are these."""

    def keep(self, paths: set[str]) -> None:
        """There are no other files any more."""

    def among(self, paths: Sequence[str], keys: KeyHashes) -> list[list[int] | None]:
        """For each file the numbers of the rows whose key it may hold, ascending; ``None`` for one that is not known."""

def counts() -> list[tuple[str, float | None, str]]:
    """The counts of a tenant that costs depend on: name, what is assumed without it, and what it means."""

def needed_counts(table: str, options: Mapping[str, str], *, run: str = "first") -> list[str]:
    """The counts that a run of a table costs by, without those that its options give."""

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
    @property
    def left_out(self) -> list[list[tuple[str, str]]]:
        """The scopes that were left out so far (``keeps_skipped``), each by the columns that name it and their values."""
    @property
    def doubtful(self) -> list[str]:
        """Ids of teams whose rows are missing though they can't be gone, as far as was read."""
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
    def share(self) -> float | None:
        """How much of the round's scopes has been read, from 0 to 1; ``None`` where that is not known."""
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
        *,
        keeps_doubtful: bool = False,
        keeps_skipped: bool = False,
    ) -> BatchStream:
        """Reads a whole table once: each key once, in its newest version. ``scopes`` narrows it to some of :meth:`scopes`.

        A snapshot fails where a team's list of channels stays empty, though there always is one: its rows would be taken
        for deleted. With ``keeps_doubtful`` the caller sees to that, and finds such teams in :attr:`BatchStream.doubtful`.
        With ``keeps_skipped`` and ``on_forbidden=skip`` a snapshot leaves out the scopes that refuse to be read, and the
        stream names them in ``left_out``: the caller must keep the rows that it has of them.
        """
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
    def roles(self) -> list[str] | None:
        """The application permissions that the token holds; ``None`` where it does not tell. Signs in where that is due."""
    def check(self, tables: Sequence[tuple[str, Mapping[str, str]]]) -> str:
        """What a read of these tables, each with its options, would meet, as JSON text.

        It holds how authentication went, and for each table its permissions, what one cheap request was answered, and the
        remedy. ``lakeflow_teams.results.check`` gives it a shape.
        """
    def sample(self, tables: Sequence[tuple[str, Mapping[str, str]]]) -> str:
        """The ``counts`` that the costs of these tables depend on, from a few requests, as JSON text.

        ``unknown`` holds those that are refused, each with its error. ``notes`` say how the others were extrapolated,
        ``requests`` how many it took.
        """
    def report(self) -> str:
        """Requests, retries, throttled seconds, bytes, rows and skipped scopes since the client was made, as JSON text."""
    def report_scopes(self) -> str:
        """What became of each scope, as a JSON list: scope, status, reason, rows, requests, throttled_seconds."""

@type_check_only
class ListenKeyInfo(TypedDict):
    """A key that notifications are encrypted for."""

    label: str
    """What Graph calls it: ``encryptionCertificateId``."""
    thumbprint: str
    """SHA-1 of the certificate, in upper-case hex."""
    created_at: str
    not_after: str
    """When the certificate ends, as ISO 8601."""
    current: bool
    """Whether new subscriptions name it."""

@type_check_only
class LifecycleEvent(TypedDict):
    """What Graph says of a subscription."""

    event: Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]
    subscription_id: str
    arrived_at: str

@type_check_only
class OversizedItem(TypedDict):
    """A notification whose content went to a storage account: what it was of has to be polled."""

    subscription_id: str
    storage_id: str | None
    tables: list[str]
    """The tables that its subscription feeds; empty where the subscription is not known here."""
    arrived_at: str | None

@final
class Notifications:
    """A stretch of notifications, verified, decrypted and decoded."""

    @property
    def position(self) -> int | None:
        """What :meth:`Listener.done` takes once the rows are kept; ``None`` for those that came past the spool."""
    @property
    def items(self) -> int:
        """How many notifications it was made of."""
    @property
    def counts(self) -> dict[str, int]:
        """What became of the items; the sum is :attr:`items`.

        ``rows`` (in some table), ``lifecycle``, ``validation`` (the test item of Event Hubs), ``outside`` (not asked for by the
        tables' options), ``superseded`` (an older version of a key that is in this stretch), ``oversized``, ``unknown_key``
        (set aside), and refusals: ``malformed``, ``unknown_subscription``, ``client_state``, ``unencrypted``, ``signature``,
        ``undecryptable``, ``content`` (what was decrypted is no such object), ``unknown_kind``.
        """
    @property
    def tables(self) -> list[str]:
        """The tables that have rows here, details included."""
    def rows(self, table: str) -> Batch:
        """The rows of a table, with exactly the schema that reading gives for the same options. Raises :class:`KeyError`."""
    def changes(self, table: str) -> Batch:
        """What is told of each of these rows, in the same order.

        ``_change_type``, ``_version`` (UTC timestamp or null), ``_etag``, ``_arrived_at``, ``_carried`` (list of column names; null:
        all), ``_subscription_id``, ``_resource``. Of a message the version is the later of ``lastModifiedDateTime`` and ``deletedDateTime``, of a chat ``lastUpdatedDateTime``.
        """
    @property
    def lifecycle(self) -> list[LifecycleEvent]:
        """What Graph said of subscriptions; :meth:`Listener.maintain` knows of it already and is due."""
    @property
    def oversized(self) -> list[OversizedItem]: ...
    @property
    def oldest_arrival(self) -> str | None:
        """When the oldest item came, as ISO 8601: the lag is measured by it."""
    def received(self) -> Batch:
        """The items as they came, undecrypted and without their clientState: the rows of the table ``notifications``.

        Columns: ``arrived_at`` (UTC timestamp), ``position`` (long: with ``item`` the key), ``item`` (int), ``subscription_id``,
        ``tenant_id``, ``change_type``, ``lifecycle_event``, ``resource``, ``outcome`` (a name of :attr:`counts`), ``notification`` (JSON).
        A :class:`Listener` fills it if ``keep_notifications`` is set; a decoder with the items that became no row although they
        were wanted.
        """

@final
class NotificationDecoder:
    """Decrypts and decodes notifications without a folder, a connection or state, such as values of an Event Hub.

    ``tables`` are names with the options and columns of each. ``certificates`` are private keys with their certificates: paths, or
    PEM or PKCS#12 bytes; a key is found by the label that the notification names (a pair of label and certificate gives it), else by
    the certificate's thumbprint. ``client_states``: items with another one are refused; without them nothing is compared.
    Raises :class:`ConfigurationError` for a table that no notification is of, and for a certificate that cannot be used.
    """

    def __new__(
        cls,
        tables: Sequence[tuple[str, Mapping[str, str], Sequence[str] | None]],
        certificates: Sequence[str | PathLike[str] | bytes | tuple[str, str | PathLike[str] | bytes]],
        *,
        password: str | None = None,
        client_states: Sequence[str] | None = None,
    ) -> NotificationDecoder: ...
    def schema(self, table: str) -> Schema: ...
    @staticmethod
    def changes_schema() -> Schema:
        """That of :meth:`Notifications.changes`."""
    @staticmethod
    def received_schema() -> Schema:
        """That of :meth:`Notifications.received`."""
    def decode(self, values: Sequence[bytes | str], arrived_at: Sequence[datetime | None] | None = None) -> Notifications:
        """Each value is a collection as Graph posts it, or one item. One that is no JSON is counted as ``malformed``.

        Without ``arrived_at`` everything came now. Runs on all cores, without the GIL.
        """
    def decode_batch(self, batch: object, value: str = "value", timestamp: str | None = "timestamp") -> Notifications:
        """The same for an Arrow record batch with a binary or text column, and one of timestamps where it has it."""

@final
class Listener:
    """What receives Graph's notifications for a lakehouse: keys, subscriptions and spool lie in ``folder``. One process at a time: its caller sees to that.

    ``options`` are those of the connection, ``tables`` the pipeline's with the options and columns of each, ``settings`` JSON text:

    - ``url``: the public address that Graph posts to; or ``event_hub``: an ``EventHub:https://...`` address. Exactly one.
    - ``lifecycle_url``: default ``url`` + ``/lifecycle``, for hubs the same address.
    - ``blob_store_url``: for hubs, where items above 1 MB go.
    - ``certificate``, ``certificate_password``, ``certificate_label``: a path, where the key is not to be made here.
    - ``allowed_tenants``: default the connection's tenant.
    - ``replace``: whether a subscription of the same resource that another address of this application holds is replaced (default
      true; only when it is made for the first time).
    - ``renew_margin_seconds`` (default 120): how far the expiry asked for stays below the maximum; ``lifetime_seconds`` caps it.
    - ``max_body_bytes`` (default 8 MiB), ``max_items`` (default 10,000), ``spool_bytes`` (default 4 GiB).
    - ``keep_notifications`` (default false).

    Raises :class:`ConfigurationError` for unknown settings, and where Graph pushes none of the tables.
    """

    def __new__(
        cls,
        folder: str | PathLike[str],
        options: Mapping[str, str],
        tables: Sequence[tuple[str, Mapping[str, str], Sequence[str] | None]],
        settings: str,
        *,
        credential: object | None = None,
    ) -> Listener: ...
    def receive(
        self,
        kind: Literal["notifications", "lifecycle"],
        query: bytes | str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
    ) -> Awaitable[tuple[int, list[tuple[bytes, bytes]], bytes]]:
        """Takes one POST; returns status, headers and body of the answer, in ASGI's shapes.

        200 is the handshake. 202: what is ours is on disk, and what is refused by content is counted. 400 malformed, 413 too large or too many
        items, 415 another content type or encoding. 503 with ``Retry-After``: could not be kept, or keys of the login service that
        are needed can't be fetched; Graph sends it again. Never raises for what a sender did.
        """
    def receive_now(
        self,
        kind: Literal["notifications", "lifecycle"],
        query: bytes | str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """The same for servers without an event loop."""
    @property
    def max_body_bytes(self) -> int:
        """A server may stop reading a body above this, and answer 413."""
    @property
    def received(self) -> dict[str, int]:
        """What became of the items of all POSTs since the start: ``accepted``, and each reason of refusal."""
    @property
    def spool(self) -> SpoolInfo:
        """What is not yet done."""
    def next(self, max_items: int = 2000, wait_seconds: float = 0.0) -> Notifications | None:
        """The next stretch of the spool, which was not given before; ``None`` if nothing came meanwhile.

        After a restart it begins behind what was last :meth:`done`.
        """
    def rewind(self) -> None:
        """:meth:`next` gives everything again that is not :meth:`done`, for example after a merge that failed."""
    def done(self, position: int) -> None:
        """Everything up to this position is kept elsewhere. Durable on return."""
    def retry_aside(self, max_items: int = 2000) -> Notifications | None:
        """Items that were set aside because their key was not known, once some of them can be read.

        :meth:`done` takes its position likewise (a negative number); what is still unread has been set aside again.
        """
    def decode(self, values: Sequence[bytes | str], arrived_at: Sequence[datetime | None] | None = None) -> Notifications:
        """Values of a hub: verified by clientState, subscription and signature, and decoded; past the spool."""
    def maintain(self) -> str:
        """One turn of the subscriptions: makes what is missing, renews at half life, makes anew what is gone, removes strays of ours.

        Safe to call at any time. Blocks (without the GIL) until Graph has answered, and Graph calls the endpoint meanwhile. Returns JSON:
        ``created``, ``renewed``, ``recreated``, ``adopted``, ``replaced``, ``removed`` (resources), ``gaps`` (each: ``tables``, ``resource``,
        ``scope`` (mapping with ``team_id``, ``channel_id``, ``chat_id``, ``user_id`` as far as it has them), ``since`` (null: from the
        beginning), ``until``, ``reason``: ``created``, ``recreated``, ``expired``, ``removed``, ``missed``, ``unauthorized``, ``restarted``), ``failures``
        (each: ``resource``, ``tables``, ``action``, ``status``, ``code``, ``message``, ``remedy``, ``retry_in_seconds``), ``not_pushed`` (tables that
        Graph does not offer: poll them), ``next_in_seconds``.
        A gap is told until :meth:`caught_up` is called for it.
        """
    def caught_up(self, resource: str, until: str) -> None:
        """The gap of a resource has been polled up to this time. Durable on return."""
    def unsubscribe(self) -> str:
        """Removes all subscriptions of ours; returns the same JSON."""
    def keys(self) -> list[ListenKeyInfo]: ...
    def rotate(self) -> ListenKeyInfo:
        """Makes a new key; the next :meth:`maintain` tells Graph of it. Raises :class:`ConfigurationError` where the certificate was given."""
    @property
    def now(self) -> str | None:
        """Graph's clock as ISO 8601, once it has answered."""
    def close(self) -> None:
        """Gives the folder free. What is in the spool stays."""

def plan_subscriptions(tables: Sequence[tuple[str, Mapping[str, str], Sequence[str] | None]]) -> str:
    """The subscriptions that tables need, without a request, as JSON.

    ``subscriptions`` (each: ``resource``, ``change_type``, ``tables``, ``scope``, ``permissions`` (any of them is enough), ``quota``,
    ``max_minutes``) and ``not_pushed`` (each: ``table``, ``reason``).
    """

def listen_status(folder: str | PathLike[str]) -> str:
    """What stands in a listener's folder, also while another process runs it, as JSON.

    ``subscriptions`` (each: ``resource``, ``tables``, ``id``, ``state``: active, failing or missing, ``expires_at``, ``renew_at``, ``key``, ``last_notification``), ``spool``, ``keys``,
    ``gaps``, ``listened_at`` (the last turn of the subscriptions). Times are ISO 8601. It holds no clientState.
    """

def rotate_listen_key(folder: str | PathLike[str]) -> ListenKeyInfo:
    """Makes a new key in a folder, also beside a running listener: its next :meth:`Listener.maintain` finds it."""

def channel_names(names: Sequence[str], taken: Sequence[str] = ...) -> list[str]:
    """Names that Teams takes for channels, in the order given, no two alike; ``taken`` are those that exist."""

def stage_import(plan: str, batches: Iterable[object], folder: str | PathLike[str] | None = None) -> str:
    """Turns a source's batches (:data:`~lakeflow_teams.deliver.sources.model.MESSAGES`) into posts in a folder.

    Without a folder they are only counted. Returns the counts of each container of the plan, as JSON text.
    """

def rebase_import(old: str | PathLike[str], new: str | PathLike[str]) -> int:
    """Takes over what an earlier staging of the same import sent; returns how many posts that are."""

def resolve_recipients(
    options: Mapping[str, str],
    wanted: str,
    rows: Iterable[tuple[str, str]],
    folder: str | PathLike[str] | None = None,
    *,
    credential: object | None = None,
) -> str:
    """Collects the recipients of a broadcast, and freezes them in ``recipients.jsonl`` in the folder; without one it only counts.

    ``wanted`` is JSON: ``users``, ``teams``, ``groups``, ``everyone``, ``channels``, ``include_guests``, ``include_unlicensed``;
    ``rows`` are user ids with the JSON text of what their card is given. Returns counts as JSON text.
    """

@final
class Broadcast:
    """A broadcast whose recipients are frozen in a folder. Its Arrow stream has a row per recipient.

    Without ``options`` it is only read, also while another process runs it.
    """

    def __new__(
        cls,
        folder: str | PathLike[str],
        options: Mapping[str, str] | None = None,
        *,
        credential: object | None = None,
        webhooks: Mapping[str, str] = ...,
        signing_key_file: str | PathLike[str] | None = None,
        signing_key_folder: str | PathLike[str] | None = None,
    ) -> Broadcast:
        """``webhooks`` are addresses of workflows, by the names of their recipients.

        ``signing_key_file`` holds the key that signs the data of cards' actions; without it the key lies in
        ``signing_key_folder``, by default the folder, and is made there on first use.
        """
    def missing_app(self) -> str | None:
        """Why the app could not be installed for anybody."""
    def preview(self) -> str:
        """Makes every recipient's card and sends none. JSON text: ``made``, ``refused``, ``reasons``, ``largest_bytes``, and ``errors`` and ``warnings`` of the first card."""
    def run(self, on_progress: Callable[[tuple[int, int, int]], object] | None = None) -> str:
        """Sends what is not sent yet. JSON text: ``stopped``, the reason why it ended before its end.

        ``on_progress`` is told how many recipients are through, got the message, and failed, since the step began.
        """
    def update(self, on_progress: Callable[[tuple[int, int, int]], object] | None = None) -> str:
        """Replaces the card of what was sent. JSON text as of ``run``."""
    def recall(self, on_progress: Callable[[tuple[int, int, int]], object] | None = None) -> str:
        """Deletes what was sent. JSON text as of ``run``."""
    def states(self) -> str:
        """How many recipients are in each state, and the reasons of those that failed, as JSON text: ``states``, ``reasons``."""
    def timeline(self) -> list[int]:
        """Messages in each second since it was opened."""
    def report(self) -> str:
        """Requests, retries and throttled seconds, as JSON text."""
    def close(self) -> None:
        """Puts everything on disk. It is of no use after it."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class ActivityRows:
    """Rows of the table of activities, whole or only what changed of them."""

    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Bot:
    """A bot: proves and keeps what comes in, sends what goes out. Its state lies in ``folder``.

    Raises :class:`ConfigurationError` for what is wrong in the options or with the signing key.
    """

    most_bytes: int
    """No activity is longer."""
    def __new__(
        cls,
        folder: str | PathLike[str],
        options: Mapping[str, str],
        *,
        credential: object | None = None,
        allowed_tenants: list[str] | None = None,
        signing_key_file: str | PathLike[str] | None = None,
        development: bool = False,
    ) -> Bot: ...
    @property
    def app_id(self) -> str: ...
    @property
    def tenant_id(self) -> str: ...
    @property
    def service_url(self) -> str:
        """Where a first contact goes."""
    def begin(self) -> None:
        """Opens the journal; only one process at a time may."""
    def close(self) -> None:
        """Closes it."""
    def receive(self, authorization: str | None, body: bytes) -> Awaitable[tuple[int, str, int, bool, str, str | None]]:
        """Proves a request and keeps its activity.

        Gives status of the answer, why it is refused, the activity's number, whether it is
        new, its state, and the JSON that an invoke was answered before.
        """
    def receive_now(self, authorization: str | None, body: bytes) -> tuple[int, str, int, bool, str, str | None]:
        """The same for servers without an event loop."""
    def pending(self) -> list[tuple[int, str]]:
        """What is acknowledged and not handled: numbers and activities as JSON text."""
    def attempt(self, number: int) -> bool:
        """A handler is about to begin; false where it ended with its process too often."""
    def end(self, number: int, state: str, code: str = "", answer: str | None = None) -> None:
        """Notes what became of an activity: ``handled``, ``failed``, ``ignored`` or ``refused``."""
    def counts(self) -> tuple[int, int, int]:
        """Activities that are known, that are to be handled, and that the table lacks."""
    def unfiled(self) -> tuple[int, ActivityRows, ActivityRows]:
        """What the table lacks: with these new rows and changes everything up to this number stands there."""
    def filed(self, version: int) -> None:
        """Everything up to this number stands in the table."""
    def seal(self, card: str, run: str, recipient: str, expires: int) -> str:
        """Signs the data of a card's actions for a recipient, until so many seconds since 1970."""
    def unseal(self, data: str, verb: str | None, recipients: list[str]) -> tuple[str, str, str, str, str]:
        """What an action brought back.

        Gives why it is not to be relied on (``unsigned``, ``altered``, ``expired``,
        ``other_recipient``) or nothing, its name, its run, its data and the inputs as JSON.
        """
    def open(self, user: str) -> Awaitable[str]:
        """The conversation with a person.

        JSON text, as of all that follow: ``state``, and ``conversation``, ``service``,
        ``activity``, or ``code``, ``next`` and ``why``.
        """
    def post(self, service: str | None, channel: str, message: str) -> Awaitable[str]:
        """A new post in a channel."""
    def send(self, service: str, conversation: str, message: str) -> Awaitable[str]: ...
    def update(self, service: str, conversation: str, activity_id: str, message: str) -> Awaitable[str]: ...
    def delete(self, service: str, conversation: str, activity_id: str) -> Awaitable[str]: ...
    def upload(self, address: str, content: bytes) -> Awaitable[str | None]:
        """Puts a file to an upload's address; says why it could not."""

def expand_card(card: str, data: list[str], now_ms: int | None = None) -> list[str]:
    """Binds data into an Adaptive Card template, once for each JSON text in ``data``; returns the cards as JSON texts.

    ``now_ms`` is what ``utcNow()`` gives, in milliseconds since 1970. Raises :class:`ConfigurationError` that points at the
    element whose expression is wrong or fails. The language is https://learn.microsoft.com/adaptive-cards/templating/language.
    """

def check_card(card: str) -> list[tuple[str, str, Literal["error", "warning"], str]]:
    """What Teams would refuse or leave out of a card: JSON pointer, type of the element, severity and message of each problem."""

def card_columns(card: str) -> list[str]:
    """The members of the data that a template names, so the columns that a table of recipients must have."""

def card_functions() -> list[str]:
    """The names that the expressions of a template can call."""

def card_size(activity: str) -> tuple[int, int, int]:
    """Bytes of a text in UTF-16, and the sizes from which a message is large, and refused."""

def existing_containers(plan: str, options: Mapping[str, str], *, credential: object | None = None) -> list[tuple[int, str]]:
    """What is wrong with the containers of a plan that exist already: their place in the plan, and why."""

@final
class Import:
    """A staged import: its steps, and what became of its posts. The ledger is its Arrow stream.

    Without ``options`` it is only read. ``contents`` gives the bytes behind an image's key.
    """

    def __new__(
        cls,
        folder: str | PathLike[str],
        options: Mapping[str, str] | None = None,
        *,
        credential: object | None = None,
        contents: Callable[[str], bytes] | None = None,
    ) -> Import: ...
    def begin(self, client_id: str) -> str | None:
        """Why nothing may be sent: another application began this import, or has a container in migration mode."""
    def run(self, on_progress: Callable[[list[tuple[int, int]]], object] | None = None) -> str:
        """Makes, opens and posts all there is. JSON text: ``stopped``, ``reopened``, ``to_do``."""
    def complete(self, on_progress: Callable[[list[tuple[int, int]]], object] | None = None) -> str:
        """Ends migration mode and adds members. JSON text as of :meth:`run`."""
    def verify(self, on_progress: Callable[[list[tuple[int, int]]], object] | None = None) -> str:
        """Reads everything back. JSON text: ``differences``, ``read``, ``equal``, ``images``, ``found``, ``unreadable``."""
    def states(self) -> str:
        """Where each container is and how many posts are in each state, as JSON text."""
    def timeline(self) -> list[int]:
        """Posts in each second since the import was opened."""
    def report(self) -> str:
        """Requests, retries and throttled seconds, as JSON text."""
    def close(self) -> None:
        """Puts everything on disk. No step can follow."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@type_check_only
class EmulatorSizes(TypedDict, total=False):
    """What the tenant is made of, beside the parameters that :class:`GraphEmulator` names."""

    words_per_message: int
    """The longest text; the shortest has three words."""
    unlisted_chats: int
    """Chats that the exports of their members hold and no list shows (beside ``chats``): in turn a chat with a user of another tenant, and one that the user has left."""
    start: str
    """What the emulator's clock shows when it starts."""
    live: bool
    """The tenant lives: its clock shows today unless ``start`` is given, and every ``live_seconds`` people write, answer, react and edit."""
    live_seconds: float
    frozen_clock: bool
    """A frozen clock moves only when it is advanced."""
    missing_teams: int
    """Groups that carry the Team flag but have no team (beside ``teams``)."""
    forbidden_teams: int
    """Teams that answer 403 (beside ``teams``)."""
    empty_teams: int
    """Teams whose channels hold no message (beside ``teams``)."""
    big_threads: int
    """Threads with ``big_thread_replies`` replies, one per channel from the first on."""
    big_thread_replies: int
    empty_channel: bool
    """Whether the last channel of the last team holds no message."""
    null_modified: bool
    """Whether one message in a hundred has a null ``lastModifiedDateTime``, as seen in an import response."""
    unset_modified: Literal["null", "year_one", "epoch"] | None
    """What one message in a hundred has for a ``lastModifiedDateTime`` instead of its own."""
    image_address: Literal["own", "other_message", "other_chat", "encoded_twice"]
    members_per_team: int
    """Members of each team; at most ``users``."""
    threads: int
    tenant_id: str
    """Empty: each seed has its own."""
    tenant_domain: str
    client_id: str
    client_secret: str

@type_check_only
class EmulatorBehaviour(TypedDict, total=False):
    """How the tenant behaves; :meth:`GraphEmulator.set` changes it while it runs."""

    rate_limit_factor: float
    """What the tenant grants, as a share of the documented limits."""
    date_header: bool
    retry_after: Literal["seconds", "fraction", "date", "absent"]
    token_lifetime_seconds: int
    secret_expired: bool
    opaque_tokens: bool
    """Tokens that tell nothing about themselves, instead of JSON Web Tokens."""
    roles: Sequence[str]
    """The application permissions: those that new tokens carry in ``roles``, and those that requests are checked against."""
    export_refused: int
    """0, or the status with which every export is refused."""
    export_refused_teams: Mapping[str, int]
    """Team id to the status with which its export is refused."""
    export_private_channels: bool
    export_shared_channels: bool
    export_top_max: int
    export_paging: Literal["token", "skip"]
    export_order: Literal["stored", "modified", "modified_desc"]
    channel_delta_refused: int
    """0, or the status with which channel delta is refused."""
    empty_channel_delta_fails: bool
    """Whether the delta of a channel without messages gives an empty page whose nextLink is refused with 400."""
    bubble_edits: bool
    """Whether an edit or a reaction moves a chain up; only a new reply does when false."""
    list_deleted: bool
    """Whether lists hold soft-deleted messages (documented as "not always returned")."""
    reply_cap: int
    """Replies under one root with ``$expand=replies``."""
    reply_links: bool
    """Whether a root with more replies than that has a ``replies@odata.nextLink``."""
    reply_count: Literal["shown", "all", "absent"]
    expand_refused: Sequence[str]
    """Properties that ``$expand`` is refused for with 400, such as ``replies`` or ``lastMessagePreview``."""
    delta_expiry: Literal["gone", "sync_state_not_found", "resync_required"]
    delta_token_days: int
    directory_delta_page: int
    directory_delta_steps: bool
    """Whether a round of directory delta tells all that happened to an object, one item for each step in the order of the steps, instead of how it is now."""
    posts_per_thread: int
    """0, or how many posts each thread of group mail has."""
    list_page: int
    """Page size of lists that document no ``$top``."""
    link_lifetime_seconds: int
    """0: nextLinks do not expire."""
    link_padding: int
    """Bytes that nextLinks are longer than they need to be."""
    top_over_max: Literal["reject", "cap"]
    batch_shuffle: bool
    forbidden_team_ids: Sequence[str]
    missing_team_ids: Sequence[str]
    rsc_team_ids: Sequence[str]
    """Teams in which resource-specific consent is given."""
    hidden_user_ids: Sequence[str]
    """Users that directory lists leave out."""
    app_installed: float
    """The share of users who have the bot's app from the start."""
    app_in_catalogue: bool
    app_blocked_user_ids: Sequence[str]
    """Users whose permission policy blocks the app."""
    bot_errors: Mapping[str, str]
    """User or channel id to the row of the Bot Connector's errors that its requests get, such as ``MessageWritesBlocked``."""
    multi_tenant_bot: bool
    """Whether the bot's tokens come from the tenant that old multi-tenant bots use."""
    concurrent_operations_refused: bool
    """Whether a request of the Bot Connector is refused (412) while another one of the same conversation is under way."""
    bot_sessions: bool
    """Whether the app's manifest has sessions on: each creation of a conversation opens another one."""
    activity_bytes: int
    """Bytes of an activity in UTF-16."""
    signing_key: int
    """Which key signs what people do."""
    published_keys: Sequence[int]
    unendorsed_keys: Sequence[int]
    """Published keys without ``endorsements``."""
    resend_seconds: float
    """After so many seconds without an answer the same activity comes again."""
    drives: Sequence[str]
    """Drives that files can be written to."""
    import_rates: Literal["article", "table"]
    """Which of two documents tells how fast messages are imported into a channel: five a second, or one."""
    migration_mode_shown: bool
    """Whether ``migrationMode`` is among the properties of channels and chats."""
    images_refused: bool
    """Posts with hosted contents are refused with 403, as users report."""
    reactions_refused: bool
    """Posts with reactions are refused with 400."""
    refused_author_ids: Sequence[str]
    """Who may be no author: 400, without a reason."""
    mentions_refused: bool
    """Posts with mentions are refused with 400."""
    one_on_one_migration_refused: bool
    """startMigration of a chat of two is refused with 412, as users report."""
    chat_history: Literal["ignored", "taken", "refused"]
    """What a new chat does with the ``visibleHistoryStartDateTime`` of its members; "refused" is 400."""
    team_completion_refused: bool
    """completeMigration of a team is refused with 400 even when all its channels are complete, as users report."""
    operation_polls: int
    """How often an operation says that it is in progress; the team answers 404 until then."""
    post_bytes: int
    """Bytes of a post without the bytes of its images."""
    more_client_ids: Sequence[str]
    """Client ids that get tokens too, with the same secret."""
    push: PushBehaviour
    """How change notifications are made and delivered; what is not named is as it was at first."""

@type_check_only
class PushBehaviour(TypedDict, total=False):
    """How the tenant notifies. Shares are of one."""

    lost: float
    """Notifications that are never sent, and of which no event tells."""
    doubled: float
    """Notifications that come again."""
    overtaken: float
    """Notifications that come up to ``late_ms`` later than others, which overtake them."""
    late_ms: int
    delay_ms: int
    """How late all of them come."""
    wrongly_signed: float
    """Notifications whose ``dataSignature`` is of other bytes."""
    forged_tokens: float
    """POSTs of which one token is not Graph's."""
    foreign_items: float
    """POSTs that hold an item of another tenant too, with a token of that tenant."""
    subset_payloads: float
    """Payloads of updates that hold a part of the properties only."""
    deleted_content: bool
    """Whether items of kind ``deleted`` have content."""
    token_version: Literal["v1", "v2", "mixed"]
    no_tokens: bool
    """``validationTokens: null``, as for an application that requires assignments."""
    signing_key: int
    """Which key (0 to 2) signs the tokens."""
    published_keys: Sequence[int]
    """Which keys login publishes."""
    items_per_post: int
    timeout_ms: int
    """What takes longer is slow, and comes again."""
    patience_ms: int
    """How long an answer is waited for."""
    handshake_ms: int
    quota: int
    """Subscriptions of one family in the organisation."""
    hub_item_bytes: int
    """Bytes of an item that goes to Event Hubs."""

@type_check_only
class EmulatorKnobs(EmulatorBehaviour, total=False):
    """The same, with those that the constructor names."""

    rate_limits: bool
    """Enforce the documented limits."""
    time_scale: float
    """Multiplies the rates and divides the waits."""
    latency_ms: int
    gzip: bool
    export_lag_seconds: int
    """Rows younger than this are exported as they were then, or not at all."""

@type_check_only
class EmulatorActions(TypedDict, total=False):
    """What :meth:`GraphEmulator.set` takes beside the knobs."""

    forbid_team: str | Sequence[str]
    """Teams that answer 403 from now on."""
    hide_team: str | Sequence[str]
    """Teams that answer 404 from now on."""
    allow_team: str | Sequence[str]
    """Teams that answer again."""
    consent_team: str | Sequence[str]
    """Teams in which resource-specific consent is given."""
    revoke_permission: str | Sequence[str]
    """Permissions that the application loses."""
    grant_permission: str | Sequence[str]
    """Permissions that it gets."""
    hide_user: str | Sequence[str]
    """Users that directory lists leave out."""
    show_user: str | Sequence[str]
    """Users that they show again."""
    expire_tokens: bool
    """Every token given out so far is refused."""

@type_check_only
class Act(TypedDict, total=False):
    """What a person does, and how what is sent of it departs from the truth."""

    deed: Required[
        Literal[
            "install",
            "remove",
            "message",
            "click",
            "react",
            "unreact",
            "edit",
            "delete",
            "rename_channel",
            "accept_file",
            "decline_file",
            "block",
            "unblock",
            "lose_licenses",
        ]
    ]
    user: Required[str]
    """Object id or user principal name."""
    channel: str | None
    """Where: a channel instead of the personal conversation."""
    text: str
    activity_id: str | None
    """The message that the deed is about."""
    action: str | None
    """The title of the button that is clicked."""
    inputs: Mapping[str, Any]
    """What was filled in."""
    data: Any
    """Replaces what the card held, or the context of a file."""
    replace: Mapping[str, Any]
    """JSON pointers into the activity, and what stands there instead; ``None`` takes it out."""
    claims: Mapping[str, Any]
    header: Mapping[str, Any]
    """Claims and header fields of the token, likewise."""
    key: int | None
    """Signs with this key instead of the current one."""
    authorization: str | None
    """The whole ``Authorization`` header instead."""
    times: int | None
    """How often ``tell`` sends it, though the bot answers."""

@type_check_only
class Mutation(TypedDict, total=False):
    """How many of each change; targets are chosen by the seed."""

    seed: int
    advance_seconds: int
    """The clock is moved first, so that the changes are dated after everything read so far."""
    team_id: str | None
    channel_id: str | None
    chat_id: str | None
    user_id: str | None
    """Narrows the changes, removals and restores of users."""
    unset_modified: Literal["null", "year_one", "epoch"] | None
    """What the messages that are changed or written have for a ``lastModifiedDateTime``."""
    edits: int
    """Root messages edited."""
    reply_edits: int
    deletes: int
    """Root messages deleted by their sender."""
    reply_deletes: int
    undeletes: int
    """Deleted messages taken back."""
    reactions: int
    """Roots or replies that get a reaction."""
    reaction_removals: int
    """Roots or replies that lose all their reactions."""
    stripped: int
    """Roots or replies edited so that they lose their mentions and attachments."""
    new_messages: int
    late_replies: int
    """Replies to existing roots."""
    hard_deletes: int
    """Roots or replies gone without a trace; a root takes its replies along."""
    chat_messages: int
    chat_edits: int
    chat_deletes: int
    new_chats: int
    new_teams: int
    deleted_teams: int
    restored_teams: int
    renamed_teams: int
    archived_teams: int
    new_channels: int
    deleted_channels: int
    renamed_channels: int
    member_adds: int
    member_removes: int
    new_users: int
    user_changes: int
    deleted_users: int
    """Soft-deleted: restorable, and listed as deleted items."""
    restored_users: int
    purged_users: int
    """Deleted for good."""

@type_check_only
class Fault(TypedDict, total=False):
    """A fault: which requests it strikes, how often, and what happens. ``docs/testing.md`` describes each kind."""

    path: str
    """Found anywhere in the decoded path and query (``*`` stands for anything); or exactly one endpoint, by its template or its name in the counts: ``/teams/{id}/channels``, ``GET /teams``."""
    method: str | None
    pages: Literal["all", "first", "linked"]
    top_above: int | None
    """Only requests whose ``$top`` is larger."""
    expands: str | None
    """Only requests that expand this property."""
    kind: Literal[
        "status",
        "reset",
        "truncate",
        "slow",
        "slow_body",
        "garbage_html",
        "garbage_utf8",
        "garbage_json",
        "expired_token",
        "service_principal_disabled",
        "no_authorization_information",
        "loop",
        "link_circle",
        "repeat_items",
        "empty_list",
        "null_value",
        "no_value",
        "repeat",
        "empty_page",
        "endless",
        "foreign_link",
        "ignore_expand",
        "ignore_filter",
        "ignore_top",
        "no_date",
        "byte_order_mark",
        "no_links",
        "replytoid_on_roots",
    ]
    after: bool
    """The request has its effect before the fault hits: what is lost is the answer. For ``status``, ``reset``, ``slow`` and the faults of a body."""
    times: int | None
    """How many requests it affects; ``None``: all of them."""
    skip: int
    """How many matching requests pass first."""
    probability: float
    seed: int
    status: int
    code: str | None
    message: str | None
    """May hold JSON as text, as the errors of back ends do."""
    inner_code: str | None
    inner_message: str | None
    retry_after: str | None
    """The value of ``Retry-After``, as it is to be sent."""
    body: str | None
    delay_ms: int
    length: int
    items: int

@type_check_only
class PostDetails(TypedDict, total=False):
    """Where, by whom and when a message is written."""

    author: str | None
    """A user's id, principal name or display name."""
    at: str | datetime | None
    """When it is written, as ISO 8601; without it, now. A time to come moves the clock there."""
    team_id: str | None
    channel_id: str | None
    chat_id: str | None
    reply_to: str | None
    """The id of the root that it answers."""
    subject: str | None

@type_check_only
class EmulatorOptions(EmulatorSizes, EmulatorBehaviour, total=False):
    """Everything that the constructor takes beside the parameters it names."""

@type_check_only
class EmulatorChanges(EmulatorKnobs, EmulatorActions, total=False):
    """Everything that :meth:`GraphEmulator.set` takes."""

@final
class GraphEmulator:
    """A Microsoft Graph tenant on loopback, for tests, demos and benchmarks. Deterministic from its seed, unless it is ``live``."""

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
        **knobs: Unpack[EmulatorOptions],
    ) -> GraphEmulator:
        """Makes the tenant and serves it. A name that is none raises :class:`TypeError`, a wrong value :class:`ValueError`.

        ``replies_per_message`` is an average. ``port`` 0 takes a free one. ``rate_limits`` enforces Graph's documented limits,
        ``time_scale`` multiplies their rates and divides their waits, ``export_lag_seconds`` is how far exports lie behind, and
        ``history_days`` how far messages reach back.
        """
    @staticmethod
    def knobs() -> list[str]:
        """The names of everything that the constructor takes."""
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
    def mutate(self, **counts: Unpack[Mutation]) -> dict[str, Any]:
        """Changes the tenant; returns ``now`` and what was touched, by kind."""
    def post(self, text: str, **details: Unpack[PostDetails]) -> dict[str, str]:
        """Writes one message and returns the ids that find it: ``id``, ``team_id``, ``channel_id``, ``parent_message_id``, ``chat_id``.

        Without a place it goes to the first channel that can be written to, and without an author it is some member's.
        Raises :class:`ValueError` for a place, an author or a root that is not there.
        """
    def act(self, **act: Unpack[Act]) -> list[dict[str, Any]]:
        """Lets a person act; returns the activities that Teams sends the bot of it, each with its ``authorization``."""
    def tell(self, url: str, **act: Unpack[Act]) -> list[dict[str, Any]]:
        """The same, and posts them to the bot at ``url``; what gets no answer comes again.

        Returns for each activity the ``statuses`` of its sendings (0: no answer), the last ``body`` and the ``activity``.
        """
    def told(self) -> list[dict[str, Any]]:
        """Everything that the bot was told by :meth:`tell`: ``statuses`` of its answers, the last ``body``, and the ``activity``."""
    def deliveries(self) -> list[dict[str, Any]]:
        """Everything that the bot sent, replaced and deleted, in order: the truth of who received what, and how often.

        Each has ``action``, ``recipient`` (object id of the user, or id of the channel), ``conversation``, ``activity_id``,
        ``reply_to``, ``activity`` and ``at_ms``.
        """
    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
    def truth(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table as a whole and correct reader would hold it now, in the form that reading gives.

        Columns, types and times are those of :meth:`lakeflow_teams.TeamsClient.read`, so that rows compare equal; only
        ``observed_at``, which the reader itself dates, is the emulator's time.
        """
    def truth_json(self, table: str) -> str:
        """The same as JSON text, as the emulator holds it: with every property that Graph sends, and Graph's own times."""
    def files(self) -> list[tuple[str, str, bytes]]:
        """The files that were uploaded, as (drive, path, bytes)."""
    def unreadable_teams(self) -> list[str]:
        """Ids of teams that are listed and answer 403 or 404."""
    def subscriptions(self) -> list[dict[str, Any]]:
        """The subscriptions that live, as Graph shows them, with their ``clientState`` and whether they are ``inconsistent``."""
    def remove_subscriptions(self, subscription_id: str | None = None) -> int:
        """Takes subscriptions away, one or all, as Graph does without telling. Returns how many."""
    def notices(self) -> list[dict[str, Any]]:
        """What subscribers were told of, in order, and what became of it: the truth of deliveries.

        Each has ``at_ms``, ``subscription_id``, ``change_type``, ``resource``, ``url``, ``fate`` (``waiting``, ``delivered``, ``lost``,
        ``dropped``, ``given_up``), ``statuses`` (of each POST; 0 for no answer), ``took_ms`` and ``spoiled`` (``signature``, ``token`` or ``None``).
        """
    def hub_values(self, hub: str) -> list[str]:
        """The values that an Event Hub got since they were last taken, as JSON text."""
    def lifecycle(self, event: str, subscription_id: str | None = None) -> int:
        """Tells of subscriptions, one or all: ``reauthorizationRequired``, ``subscriptionRemoved`` (which removes them), ``missed``.

        Returns how many.
        """
    def fault(self, **rule: Unpack[Fault]) -> None:
        """Spoils answers: ``fault(path="/messages", status=503, times=2)``."""
    def tamper(self, **change: Any) -> None:
        """Changes one message in a way that no request can, for tests of what has to find it."""
    def clear_faults(self) -> None: ...
    def set(self, **knobs: Unpack[EmulatorChanges]) -> None:
        """Changes how the tenant behaves: ``set(forbid_team=team_id)``."""
    def requests(self) -> list[dict[str, Any]]:
        """What was asked, oldest first."""
    def request_counts(self) -> dict[str, int]:
        """Requests by method and endpoint template."""
    def clear_requests(self) -> None: ...
