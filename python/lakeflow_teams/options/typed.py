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
    "group_members",
    "group_owners",
    "user_licenses",
    "channel_members",
    "shared_channel_members",
    "shared_channel_teams",
    "incoming_channels",
    "chat_members",
    "channel_tabs",
    "chat_tabs",
    "team_apps",
    "chat_apps",
    "user_apps",
    "team_tags",
    "team_tag_members",
    "deleted_teams",
    "schedules",
    "shifts",
    "conversations",
    "conversation_threads",
    "conversation_posts",
    "team_drives",
    "team_device_usage_report",
    "message_reactions",
    "message_mentions",
    "message_attachments",
    "system_events",
    "hosted_contents",
    "chat_message_reactions",
    "chat_message_mentions",
    "chat_message_attachments",
    "chat_system_events",
    "chat_hosted_contents",
    "retained_messages",
    "deleted_team_messages",
    "call_records",
    "online_meeting_transcripts",
    "online_meeting_recordings",
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
    """Certificate and private key: PEM text, PFX in base64, or the path of a PEM or PFX file, which is read at each token request. Default: ."""
    client_certificate_password: str | PathLike[str] | None
    """Password of the PFX, or of the PEM's private key. Default: ."""
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
    bot_app_id: str | PathLike[str] | None
    """Application (client) ID of the bot, where it is not client_id. Default: ."""
    bot_tenant_id: str | PathLike[str] | None
    """Tenant that the bot's tokens come from, where it is not tenant_id; botframework.com for an old multi-tenant bot. Default: ."""
    bot_service_url: str | PathLike[str] | None
    """Bot Connector address of a first contact, where it is not the cloud's own. Default: https://smba.trafficmanager.net/teams/."""
    bot_openid_metadata: str | PathLike[str] | None
    """OpenID metadata of what Teams sends to a bot, where it is not the cloud's own. Default: https://login.botframework.com/v1/.well-known/openidconfiguration."""
    rate_limits: str | PathLike[str] | None
    """documented: plan at 80 % of Graph's limits. off: only Retry-After, loopback hosts only. Default: documented."""
    requests_per_second: float | str | None
    """A ceiling over all requests, below the documented limits. Default: ."""
    rate_share: float | str | None
    """Share of the limits per application to plan with, where several readers run side by side on different teams, chats or users. Default: 1."""
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
    group_id: str | Iterable[str] | None
    """Groups to read. Default: ."""
    exclude_team_id: str | Iterable[str] | None
    """Teams to leave out, of those that are read. Default: ."""
    exclude_channel_id: str | Iterable[str] | None
    """Channels to leave out, of those that are read. Default: ."""
    fetch_all_groups: bool | str | None
    """Read every group of the tenant. Default: false."""
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
    body_text: bool | str | None
    """Adds body_text to message tables, the body without markup; mentions and emoji stay readable. Default: false."""
    timestamps: str | PathLike[str] | None
    """text: times as Graph sent them. timestamp: UTC with microseconds, null for times that stand for none (year 1). Without it: timestamp in TeamsClient and in new local tables, text elsewhere. Default: ."""
    transcript_text: bool | str | None
    """online_meeting_transcripts: fetches each transcript as WebVTT, one request each, into transcript_text. Default: false."""
    hosted_contents_max_bytes: int | str | None
    """hosted_contents: fetches each content, one request each, and keeps its bytes up to this size; 0 fetches none. Default: 0."""
    on_forbidden: str | PathLike[str] | None
    """What a discovered scope that is refused (403, or a 401 of it alone) does: fail, or be skipped and reported. Default: fail."""
    min_poll_seconds: int | timedelta | str | None
    """Least time between two rounds of a stream. Default: 60."""
    resweep_days: int | str | None
    """Where export is not offered: days in which every channel is read whole once. Default: 7."""
    windows_per_batch: int | str | None
    """Scopes (teams, users or chats) per micro-batch of a partitioned stream; without it 1000 from Spark 4.2 on, before that all. Default: ."""
    num_partitions: int | str | None
    """Spark: tasks that a read is divided into, at most. Default: 16."""
    tasks_at_once: int | str | None
    """Spark: tasks that run at the same time over the whole cluster, each with its share of Graph's limits; without it, those of one read. Default: ."""
    chat_types: str | Iterable[str] | None
    """Kinds of chats to read. Default: oneOnOne,group,meeting."""
    report_period: str | PathLike[str] | None
    """Days that usage reports cover. Default: D7."""
    chat_sender_filter: bool | str | None
    """Read each chat message by its sender only: fewer requests, but senders without an account are missed. Default: false."""
