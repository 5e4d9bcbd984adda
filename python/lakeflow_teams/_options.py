"""Made by `make connector-spec` from the catalogue of options; a test fails when it is out of date."""

from collections.abc import Iterable
from datetime import date, timedelta
from os import PathLike
from typing import Literal, TypedDict

TableName = Literal[
    "teams",
    "channels",
    "members",
    "messages",
    "message_replies",
    "chats",
    "chat_messages",
    "users",
    "groups",
]


class ConnectionOptions(TypedDict, total=False):
    """What a connection can be told; ``docs/connections.md`` says how."""

    tenant_id: str | PathLike[str] | None
    """Directory (tenant) ID, or a verified domain of the tenant. Default: ."""
    client_id: str | PathLike[str] | None
    """Application (client) ID of the app registration. Default: ."""
    client_secret: str | PathLike[str] | None
    """Client secret of the app registration. Default: ."""
    client_secret_env: str | PathLike[str] | None
    """Environment variable that holds the client secret; read at each token request. Default: ."""
    client_secret_file: str | PathLike[str] | None
    """File that holds the client secret; read at each token request. Default: ."""
    client_certificate: str | PathLike[str] | None
    """Certificate and private key as PEM: the text itself, or a path that is read at each token request. Default: ."""
    client_certificate_password: str | PathLike[str] | None
    """Password of the certificate's private key. Default: ."""
    federated_token_file: str | PathLike[str] | None
    """File with the token of a federated identity; read at each token request. Default: ."""
    managed_identity: bool | str | None
    """Use the managed identity of the machine; client_id picks a user-assigned one. Default: false."""
    default_credential: bool | str | None
    """Take the first of the environment's secret, certificate, federated token and managed identity. Default: false."""
    cloud: str | PathLike[str] | None
    """National cloud: sets login host, Graph host and scope together. Default: global."""
    authority_host: str | PathLike[str] | None
    """Login host, where it is not the cloud's own. Default: https://login.microsoftonline.com."""
    graph_base_url: str | PathLike[str] | None
    """Graph host without version, where it is not the cloud's own. Default: https://graph.microsoft.com."""
    rate_limits: str | PathLike[str] | None
    """documented: plan at 80 % of Graph's limits. off: only Retry-After, loopback hosts only. Default: documented."""
    requests_per_second: float | str | None
    """A ceiling over all requests, below the documented limits. Default: ."""
    max_concurrency: int | str | None
    """Requests on the wire at the same time. Default: 16."""
    request_timeout_seconds: int | timedelta | str | None
    """Time for one request, its body included. Default: 100."""
    retry_timeout_seconds: int | timedelta | str | None
    """Time that the retries of one request may take together. Default: 900."""
    ca_bundle: str | PathLike[str] | None
    """PEM file of root certificates to trust beside the platform's. Default: ."""
    proxy: str | PathLike[str] | None
    """Address of an HTTP proxy; otherwise the environment's. Default: ."""


class TableOptions(TypedDict, total=False):
    """What reading a table can be told; each table takes those that fit it."""

    team_id: str | Iterable[str] | None
    """Teams to read. Default: ."""
    channel_id: str | Iterable[str] | None
    """Channels to read. Default: ."""
    message_id: str | Iterable[str] | None
    """Messages whose replies are read. Default: ."""
    user_id: str | Iterable[str] | None
    """Users whose chats are read. Default: ."""
    chat_id: str | Iterable[str] | None
    """Chats to read. Default: ."""
    fetch_all_teams: bool | str | None
    """Read every team of the tenant. Default: false."""
    fetch_all_channels: bool | str | None
    """Read every channel of the teams. Default: false."""
    fetch_all_messages: bool | str | None
    """Read the replies of every message. Default: false."""
    fetch_all_users: bool | str | None
    """Read the chats of every user. Default: false."""
    top: int | str | None
    """Page size; lowered to the endpoint's maximum. Default: ."""
    max_pages_per_batch: int | str | None
    """Pages per micro-batch of a stream; the next one goes on. Default: 100."""
    max_records_per_batch: int | str | None
    """Rows per micro-batch of a stream; the next one goes on. Default: ."""
    start_date: date | str | None
    """Where history starts; without it, at the beginning. Default: ."""
    lookback_seconds: int | timedelta | str | None
    """How far each round reaches back over the last one. Default: 300."""
    use_delta_api: bool | str | None
    """The same as strategy=delta. Default: false."""
    max_concurrent_threads: int | str | None
    """Accepted and without effect: max_concurrency takes its place. Default: ."""
    strategy: str | PathLike[str] | None
    """How messages are read. Default: auto."""
    include_raw: bool | str | None
    """Adds _raw, each item as Graph sent it. Default: false."""
    on_forbidden: str | PathLike[str] | None
    """What a discovered scope that answers 403 does: fail, or be skipped and reported. Default: fail."""
    min_poll_seconds: int | timedelta | str | None
    """Least time between two rounds of a stream. Default: 60."""
    resweep_days: int | str | None
    """Where export is not offered: days in which every channel is read whole once. Default: 7."""
    windows_per_batch: int | str | None
    """Time windows per micro-batch of a partitioned stream. Default: ."""
    chat_types: str | Iterable[str] | None
    """Kinds of chats to read. Default: oneOnOne,group,meeting."""
    chat_sender_filter: bool | str | None
    """Read each chat message by its sender only: fewer requests, but senders without an account are missed. Default: false."""
