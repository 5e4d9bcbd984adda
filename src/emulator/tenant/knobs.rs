//! Behaviour that can be switched while the emulator runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::tenant::push::PushKnobs;

/// The application permissions that the app holds unless a test revokes them.
pub const GRANTED_ROLES: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "Group.ReadBasic.All",
    "Group.Read.All",
    "GroupMember.Read.All",
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamMember.Read.All",
    "Channel.ReadBasic.All",
    "ChannelMember.Read.All",
    "ChannelMessage.Read.All",
    "Chat.ReadBasic.All",
    "Chat.Read.All",
    "ChatMember.Read.All",
    "Group-Conversation.Read.All",
    "Files.Read.All",
    "TeamsAppInstallation.ReadForTeam.All",
    "TeamsAppInstallation.ReadForChat.All",
    "TeamsAppInstallation.ReadForUser.All",
    "TeamsTab.Read.All",
    "TeamworkTag.Read.All",
    "Schedule.Read.All",
    "Reports.Read.All",
    "CallRecords.Read.All",
    "OnlineMeetingTranscript.Read.All",
    "OnlineMeetingRecording.Read.All",
    "Teamwork.Migrate.All",
    "TeamSettings.ReadWrite.All",
    "ChannelSettings.ReadWrite.All",
    "Chat.ReadWrite.All",
    "Channel.Create",
    "Chat.Create",
    "TeamMember.ReadWriteNonOwnerRole.All",
    "ChannelMember.ReadWrite.All",
    "ChatMember.ReadWrite.All",
    "AppCatalog.Read.All",
    "TeamsAppInstallation.ReadWriteSelfForUser.All",
    "Files.ReadWrite.All",
];

/// What two documents say of the rate at which messages are imported into a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportRates {
    /// "Import third-party platform messages": five a second and channel.
    Article,
    /// The throttling page: one a second and channel, 50 for the application in the tenant.
    Table,
}

/// What a new chat does with the `visibleHistoryStartDateTime` of its members, which no page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatHistory {
    /// Members see what is younger than the chat's making.
    Ignored,
    Taken,
    /// 400.
    Refused,
}

/// How `Retry-After` is written; Microsoft's own sample is a fraction, HTTP also allows a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    Seconds,
    Fraction,
    Date,
    Absent,
}

/// Both forms are seen in nextLinks of the export API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPaging {
    Token,
    /// Plain `$skip`: counts over the rows that match now, so a row that leaves the window shifts the seam.
    Skip,
}

/// The order of an export's rows is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportOrder {
    /// By channel, then by creation.
    Stored,
    /// By `lastModifiedDateTime`, oldest first.
    Modified,
    /// By `lastModifiedDateTime`, newest first.
    ModifiedDesc,
}

/// How an expired delta token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaExpiry {
    /// 410 with a `Location` that starts over.
    Gone,
    SyncStateNotFound,
    ResyncRequired,
}

/// What an endpoint does with a `$top` above its maximum ("ignored, capped or rejected per API").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopOverMax {
    Reject,
    Cap,
}

/// What `replies@odata.count` of an expanded root tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyCount {
    /// How many replies are shown.
    Shown,
    /// How many there are.
    All,
    Absent,
}

/// Behaviour that can be switched while the emulator runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // independent switches, not states of one machine
pub struct Knobs {
    /// Enforce the documented limits.
    pub rate_limits: bool,
    /// What the tenant grants, as a share of the documented limits.
    pub rate_limit_factor: f64,
    /// Multiplies the rates and divides the waits.
    pub time_scale: f64,
    pub latency_ms: u64,
    pub gzip: bool,
    pub date_header: bool,
    pub retry_after: RetryAfter,
    pub token_lifetime_seconds: u64,
    pub secret_expired: bool,
    /// Tokens that tell nothing about themselves, instead of JSON Web Tokens.
    pub opaque_tokens: bool,
    /// The application permissions: those that new tokens carry in `roles`, and those that requests are checked against.
    pub roles: BTreeSet<String>,
    /// Rows younger than this are exported as they were then, or not at all.
    pub export_lag_seconds: u64,
    /// 0, or the status with which every export is refused.
    pub export_refused: u16,
    /// Team id to the status with which its export is refused.
    pub export_refused_teams: BTreeMap<String, u16>,
    pub export_private_channels: bool,
    pub export_shared_channels: bool,
    pub export_top_max: usize,
    pub export_paging: ExportPaging,
    pub export_order: ExportOrder,
    /// 0, or the status with which channel delta is refused.
    pub channel_delta_refused: u16,
    /// Whether the delta of a channel without messages gives an empty page whose nextLink is refused with 400.
    pub empty_channel_delta_fails: bool,
    /// Whether an edit or a reaction moves a chain up; only a new reply does when false.
    pub bubble_edits: bool,
    /// Whether lists hold soft-deleted messages (documented as "not always returned").
    pub list_deleted: bool,
    /// Replies under one root with `$expand=replies`.
    pub reply_cap: usize,
    /// Whether a root with more replies than that has a `replies@odata.nextLink`.
    pub reply_links: bool,
    pub reply_count: ReplyCount,
    /// Properties that `$expand` is refused for with 400, such as `replies` or `lastMessagePreview`.
    pub expand_refused: BTreeSet<String>,
    pub delta_expiry: DeltaExpiry,
    pub delta_token_days: i64,
    pub directory_delta_page: usize,
    /// Whether a round of directory delta tells all that happened to an object, one item for each step in the order of the
    /// steps, instead of how it is now.
    pub directory_delta_steps: bool,
    /// 0, or how many posts each thread of group mail has.
    pub posts_per_thread: usize,
    /// Page size of lists that document no `$top`.
    pub list_page: usize,
    /// 0: nextLinks do not expire.
    pub link_lifetime_seconds: u64,
    /// Bytes that nextLinks are longer than they need to be.
    pub link_padding: usize,
    pub top_over_max: TopOverMax,
    pub batch_shuffle: bool,
    pub forbidden_team_ids: BTreeSet<String>,
    pub missing_team_ids: BTreeSet<String>,
    /// Teams in which resource-specific consent is given.
    pub rsc_team_ids: BTreeSet<String>,
    pub import_rates: ImportRates,
    /// Whether `migrationMode` is among the properties of channels and chats.
    pub migration_mode_shown: bool,
    /// Posts with hosted contents are refused with 403, as users report.
    pub images_refused: bool,
    /// Posts with reactions are refused with 400.
    pub reactions_refused: bool,
    /// Who may be no author: 400, without a reason.
    pub refused_author_ids: BTreeSet<String>,
    /// Posts with mentions are refused with 400.
    pub mentions_refused: bool,
    /// startMigration of a chat of two is refused with 412, as users report.
    pub one_on_one_migration_refused: bool,
    pub chat_history: ChatHistory,
    /// completeMigration of a team is refused with 400 even when all its channels are complete, as users report.
    pub team_completion_refused: bool,
    /// How often an operation says that it is in progress; the team answers 404 until then.
    pub operation_polls: u32,
    /// Bytes of a post without the bytes of its images.
    pub post_bytes: usize,
    /// Client ids that get tokens too, with the same secret.
    pub more_client_ids: BTreeSet<String>,
    /// Users that directory lists leave out.
    pub hidden_user_ids: BTreeSet<String>,
    /// The share of users who have the bot's app from the start.
    pub app_installed: f64,
    /// Whether the app is in the organisation's catalogue.
    pub app_in_catalogue: bool,
    /// Users whose permission policy blocks the app.
    pub app_blocked_user_ids: BTreeSet<String>,
    /// User or channel id to the row of the Bot Connector's errors that its requests get, such as `MessageWritesBlocked`; rows
    /// that pass by themselves (412, 429, 5xx) hit its messages only.
    pub bot_errors: BTreeMap<String, String>,
    /// Whether the bot's tokens come from the tenant that old multi-tenant bots use.
    pub multi_tenant_bot: bool,
    /// Whether a request of the Bot Connector is refused (412) while another one of the same conversation is under way.
    pub concurrent_operations_refused: bool,
    /// Whether the app's manifest has sessions on: each creation of a conversation opens another one.
    pub bot_sessions: bool,
    /// Bytes of an activity in UTF-16.
    pub activity_bytes: usize,
    /// Which key signs what people do, and which ones are published.
    pub signing_key: usize,
    pub published_keys: BTreeSet<usize>,
    /// Published keys without `endorsements`.
    pub unendorsed_keys: BTreeSet<usize>,
    /// After so many seconds without an answer the same activity comes again.
    pub resend_seconds: f64,
    /// Drives that files can be written to.
    pub drives: BTreeSet<String>,
    /// How change notifications are made and delivered.
    pub push: PushKnobs,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            rate_limits: false,
            rate_limit_factor: 1.0,
            time_scale: 1.0,
            latency_ms: 0,
            gzip: true,
            date_header: true,
            retry_after: RetryAfter::Seconds,
            token_lifetime_seconds: 3599,
            secret_expired: false,
            opaque_tokens: false,
            roles: GRANTED_ROLES.iter().map(|&role| role.to_owned()).collect(),
            export_lag_seconds: 0,
            export_refused: 0,
            export_refused_teams: BTreeMap::new(),
            export_private_channels: true,
            export_shared_channels: true,
            export_top_max: 250,
            export_paging: ExportPaging::Token,
            export_order: ExportOrder::Stored,
            channel_delta_refused: 0,
            empty_channel_delta_fails: false,
            bubble_edits: true,
            list_deleted: true,
            reply_cap: 200,
            reply_links: true,
            reply_count: ReplyCount::Shown,
            expand_refused: BTreeSet::new(),
            delta_expiry: DeltaExpiry::Gone,
            delta_token_days: 7,
            directory_delta_page: 200,
            directory_delta_steps: false,
            posts_per_thread: 0,
            list_page: 100,
            link_lifetime_seconds: 0,
            link_padding: 0,
            top_over_max: TopOverMax::Reject,
            batch_shuffle: true,
            forbidden_team_ids: BTreeSet::new(),
            missing_team_ids: BTreeSet::new(),
            rsc_team_ids: BTreeSet::new(),
            import_rates: ImportRates::Article,
            migration_mode_shown: true,
            images_refused: false,
            reactions_refused: false,
            refused_author_ids: BTreeSet::new(),
            mentions_refused: false,
            one_on_one_migration_refused: false,
            chat_history: ChatHistory::Ignored,
            team_completion_refused: false,
            operation_polls: 0,
            post_bytes: 28 * 1024,
            more_client_ids: BTreeSet::new(),
            hidden_user_ids: BTreeSet::new(),
            app_installed: 0.0,
            app_in_catalogue: true,
            app_blocked_user_ids: BTreeSet::new(),
            bot_errors: BTreeMap::new(),
            multi_tenant_bot: false,
            concurrent_operations_refused: true,
            bot_sessions: false,
            activity_bytes: 100 * 1024,
            signing_key: 0,
            published_keys: BTreeSet::from([0]),
            unendorsed_keys: BTreeSet::new(),
            resend_seconds: 15.0,
            drives: BTreeSet::new(),
            push: PushKnobs::default(),
        }
    }
}
