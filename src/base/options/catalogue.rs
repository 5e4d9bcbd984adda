//! Every option there is, declared once: parsing, error messages, documentation and allow lists all read it from here.

/// Which of the two maps an option belongs to. Spark mixes both, so either door takes a map with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Connection,
    Table,
}

/// What a value must look like. Every value arrives as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    /// Text that is never shown.
    Secret,
    /// An `https` address of a host; plain `http` only to loopback.
    Host,
    /// The same with a path.
    Address,
    /// `true` or `false`.
    Bool,
    /// A whole number in a range, both ends included.
    Int(u64, u64),
    /// A number in a range, both ends included.
    Float(f64, f64),
    /// An ISO 8601 date or timestamp.
    Time,
    /// Identifiers, separated by commas; the second part names the option that discovers them instead.
    Ids(Option<&'static str>),
    /// One of some words.
    Word(&'static [&'static str]),
    /// Some of some words, separated by commas.
    Words(&'static [&'static str]),
}

#[derive(Debug)]
pub struct OptionSpec {
    pub name: &'static str,
    pub door: Door,
    pub kind: Kind,
    /// As it is shown in the documentation; empty where leaving the option out means something of its own.
    pub default: &'static str,
    pub doc: &'static str,
}

impl Door {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Table => "table",
        }
    }
}

impl Kind {
    /// The kind's name in listings of the options.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Text | Self::Secret | Self::Host | Self::Address | Self::Word(_) => "string",
            Self::Bool => "boolean",
            Self::Int(..) => "integer",
            Self::Float(..) => "number",
            Self::Time => "timestamp",
            Self::Ids(_) | Self::Words(_) => "list",
        }
    }

    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret)
    }

    /// What is allowed, for error messages and documentation.
    pub fn allowed(&self) -> String {
        match self {
            Self::Text | Self::Secret => "text that is not blank".into(),
            Self::Host => "an https address without path (http only for loopback)".into(),
            Self::Address => "an https address (http only for loopback)".into(),
            Self::Bool => "true or false".into(),
            Self::Int(low, u64::MAX) => format!("a whole number of at least {low}"),
            Self::Int(low, high) => format!("a whole number from {low} to {high}"),
            Self::Float(low, high) => format!("a number from {low} to {high}"),
            Self::Time => "an ISO 8601 date or timestamp such as 2025-01-31 or 2025-01-31T08:00:00Z".into(),
            Self::Ids(_) => "one identifier, or several separated by commas".into(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Words(words) => format!("one or more of {}, separated by commas", words.join(", ")),
        }
    }
}

/// The option of that name; names are case-insensitive, because Spark hands them over in lower case.
pub fn find(name: &str) -> Option<&'static OptionSpec> {
    CATALOGUE.iter().find(|spec| spec.name.eq_ignore_ascii_case(name))
}

/// Names that Spark, Databricks and the pipeline framework add to the map.
pub fn belongs_to_framework(name: &str) -> bool {
    const EXACT: [&str; 7] = [
        "tablename",
        "tablenamelist",
        "tableconfigs",
        "isdeleteflow",
        "sourcename",
        "externaloptionsallowlist",
        "path",
    ];
    let name = name.to_ascii_lowercase();
    EXACT.contains(&name.as_str()) || name.starts_with("namespace") || name.starts_with("databricks.")
}

pub const CLOUDS: &[&str] = &["global", "usgov", "usgov_dod", "china"];
pub const RATE_LIMITS: &[&str] = &["documented", "off"];
pub const STRATEGIES: &[&str] = &["auto", "export", "channels", "delta"];
pub const ON_FORBIDDEN: &[&str] = &["fail", "skip"];
pub const TIMESTAMPS: &[&str] = &["text", "timestamp"];
pub const REPORT_PERIODS: &[&str] = &["D7", "D30", "D90", "D180"];
pub const CHAT_TYPES: &[&str] = &["oneOnOne", "group", "meeting"];

macro_rules! options {
    ($($door:ident $name:literal $kind:expr, $default:literal, $doc:literal;)*) => {
        pub static CATALOGUE: &[OptionSpec] = &[
            $(OptionSpec { name: $name, door: Door::$door, kind: $kind, default: $default, doc: $doc },)*
        ];
    };
}

const DAY: u64 = 86_400;
const ANY: u64 = u64::MAX;

options! {
    Connection "tenant_id" Kind::Text, "", "Directory (tenant) ID, or a verified domain of the tenant.";
    Connection "client_id" Kind::Text, "", "Application (client) ID of the app registration.";
    Connection "client_secret" Kind::Secret, "", "Client secret of the app registration.";
    Connection "client_secret_env" Kind::Text, "", "Environment variable that holds the client secret; read at each token request.";
    Connection "client_secret_file" Kind::Text, "", "File that holds the client secret; read at each token request.";
    Connection "client_certificate" Kind::Secret, "", "Certificate and private key: PEM text, PFX in base64, or the path of a PEM or PFX file, which is read at each token request.";
    Connection "client_certificate_password" Kind::Secret, "", "Password of the PFX, or of the PEM's private key.";
    Connection "federated_token_file" Kind::Text, "", "File with the token of a federated identity; read at each token request.";
    Connection "managed_identity" Kind::Bool, "false", "Use the managed identity of the machine; client_id picks a user-assigned one.";
    Connection "default_credential" Kind::Bool, "false", "Take the first of the environment's secret, certificate, federated token and managed identity.";
    Connection "cloud" Kind::Word(CLOUDS), "global", "National cloud: sets login host, Graph host and scope together.";
    Connection "authority_host" Kind::Host, "https://login.microsoftonline.com", "Login host, where it is not the cloud's own.";
    Connection "graph_base_url" Kind::Host, "https://graph.microsoft.com", "Graph host without version, where it is not the cloud's own.";
    Connection "bot_app_id" Kind::Text, "", "Application (client) ID of the bot, where it is not client_id.";
    Connection "bot_tenant_id" Kind::Text, "", "Tenant that the bot's tokens come from, where it is not tenant_id; botframework.com for an old multi-tenant bot.";
    Connection "bot_service_url" Kind::Address, "https://smba.trafficmanager.net/teams/", "Bot Connector address of a first contact, where it is not the cloud's own.";
    Connection "bot_openid_metadata" Kind::Address, "https://login.botframework.com/v1/.well-known/openidconfiguration", "OpenID metadata of what Teams sends to a bot, where it is not the cloud's own.";
    Connection "rate_limits" Kind::Word(RATE_LIMITS), "documented", "documented: plan at 80 % of Graph's limits. off: only Retry-After, loopback hosts only.";
    Connection "requests_per_second" Kind::Float(0.01, 10_000.0), "", "A ceiling over all requests, below the documented limits.";
    Connection "rate_share" Kind::Float(0.0001, 1.0), "1", "Share of the limits per application to plan with, where several readers run side by side on different teams, chats or users.";
    Connection "max_concurrency" Kind::Int(1, 1_000), "16", "Requests on the wire at the same time.";
    Connection "request_timeout_seconds" Kind::Int(1, 3_600), "100", "Time for one request, its body included.";
    Connection "retry_timeout_seconds" Kind::Int(0, DAY), "900", "Time that the retries of one request may take together.";
    Connection "ca_bundle" Kind::Text, "", "PEM file of root certificates to trust beside the platform's.";
    Connection "proxy" Kind::Secret, "", "Address of an HTTP proxy; otherwise the environment's.";

    Table "team_id" Kind::Ids(Some("fetch_all_teams")), "", "Teams to read.";
    Table "channel_id" Kind::Ids(Some("fetch_all_channels")), "", "Channels to read.";
    Table "message_id" Kind::Ids(Some("fetch_all_messages")), "", "Messages whose replies are read.";
    Table "user_id" Kind::Ids(Some("fetch_all_users")), "", "Users whose chats are read.";
    Table "chat_id" Kind::Ids(None), "", "Chats to read.";
    Table "group_id" Kind::Ids(Some("fetch_all_groups")), "", "Groups to read.";
    Table "exclude_team_id" Kind::Ids(None), "", "Teams to leave out, of those that are read.";
    Table "exclude_channel_id" Kind::Ids(None), "", "Channels to leave out, of those that are read.";
    Table "fetch_all_groups" Kind::Bool, "false", "Read every group of the tenant.";
    Table "fetch_all_teams" Kind::Bool, "false", "Read every team of the tenant.";
    Table "fetch_all_channels" Kind::Bool, "false", "Read every channel of the teams.";
    Table "fetch_all_messages" Kind::Bool, "false", "Read the replies of every message.";
    Table "fetch_all_users" Kind::Bool, "false", "Read the chats of every user.";
    Table "top" Kind::Int(1, u32::MAX as u64), "", "Page size; lowered to the endpoint's maximum.";
    Table "max_pages_per_batch" Kind::Int(1, ANY), "100", "Pages per micro-batch of a stream; the next one goes on.";
    Table "max_records_per_batch" Kind::Int(1, ANY), "", "Rows per micro-batch of a stream; the next one goes on.";
    Table "start_date" Kind::Time, "", "Where history starts; without it, at the beginning.";
    Table "lookback_seconds" Kind::Int(0, 365 * DAY), "300", "How far each round reaches back over the last one.";
    Table "use_delta_api" Kind::Bool, "false", "The same as strategy=delta.";
    Table "max_concurrent_threads" Kind::Int(1, ANY), "", "Accepted and without effect: max_concurrency takes its place.";
    Table "strategy" Kind::Word(STRATEGIES), "auto", "How messages are read.";
    Table "include_raw" Kind::Bool, "false", "Adds _raw, each item as Graph sent it.";
    Table "body_text" Kind::Bool, "false", "Adds body_text to message tables, the body without markup; mentions and emoji stay readable.";
    Table "timestamps" Kind::Word(TIMESTAMPS), "", "text: times as Graph sent them. timestamp: UTC with microseconds, null for times that stand for none (year 1). Without it: timestamp in TeamsClient and in new local tables, text elsewhere.";
    Table "transcript_text" Kind::Bool, "false", "online_meeting_transcripts: fetches each transcript as WebVTT, one request each, into transcript_text.";
    Table "hosted_contents_max_bytes" Kind::Int(0, 64 << 20), "0", "hosted_contents: fetches each content, one request each, and keeps its bytes up to this size; 0 fetches none.";
    Table "on_forbidden" Kind::Word(ON_FORBIDDEN), "fail", "What a discovered scope that is refused (403, or a 401 of it alone) does: fail, or be skipped and reported.";
    Table "min_poll_seconds" Kind::Int(0, 365 * DAY), "60", "Least time between two rounds of a stream.";
    Table "resweep_days" Kind::Int(1, 3_650), "7", "Where export is not offered: days in which every channel is read whole once.";
    Table "windows_per_batch" Kind::Int(1, ANY), "", "Scopes (teams, users or chats) per micro-batch of a partitioned stream; without it 1000 from Spark 4.2 on, before that all.";
    Table "num_partitions" Kind::Int(1, ANY), "16", "Spark: tasks that a read is divided into, at most.";
    Table "tasks_at_once" Kind::Int(1, ANY), "", "Spark: tasks that run at the same time over the whole cluster, each with its share of Graph's limits; without it, those of one read.";
    Table "chat_types" Kind::Words(CHAT_TYPES), "oneOnOne,group,meeting", "Kinds of chats to read.";
    Table "report_period" Kind::Word(REPORT_PERIODS), "D7", "Days that usage reports cover.";
    Table "chat_sender_filter" Kind::Bool, "false", "Read each chat message by its sender only: fewer requests, but senders without an account are missed.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_lower_case_and_documented() {
        for (index, spec) in CATALOGUE.iter().enumerate() {
            assert_eq!(spec.name, spec.name.to_ascii_lowercase());
            assert!(!spec.doc.is_empty(), "{}", spec.name);
            assert!(CATALOGUE[..index].iter().all(|other| other.name != spec.name), "{}", spec.name);
        }
    }
}
