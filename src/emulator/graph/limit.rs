//! The documented limits of the endpoints.
//!
//! Source: "Microsoft Graph service-specific throttling limits": Teams, and identity and access.

/// Requests per second: for the app in the tenant, per resource, and per user.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Endpoints of one class share their buckets.
    pub class: &'static str,
    pub tenant: f64,
    /// How many leading ids of the path name the resource, and its rate.
    pub resource: Option<(usize, f64)>,
    pub user: Option<f64>,
}

/// Requests within so many seconds, per conversation; requests of one class count together.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    pub class: &'static str,
    pub counts: &'static [(usize, f64)],
}

/// The Bot Connector's requests of all kinds, for an app in a tenant.
pub const CONNECTOR_PER_SECOND: f64 = 50.0;

#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Counted in requests.
    Requests(Rates),
    /// Counted in resource units: what the request costs before `$select`, `$expand` and a small `$top`.
    Units(i64),
    /// Two documents disagree; the tenant follows one of them.
    Import { article: Rates, table: Rates },
    /// The Bot Connector's: per second for the app in the tenant, and windows per conversation.
    Connector(Windows),
    /// So many requests of a class within 20 seconds, for the app in the tenant.
    Window(&'static str, usize),
    /// Nothing of its own: a batch costs what its parts cost.
    None,
}

impl Limit {
    const fn requests(class: &'static str, tenant: f64) -> Self {
        Self::Requests(Rates { class, tenant, resource: None, user: None })
    }

    const fn per_resource(self, ids: usize, rate: f64) -> Self {
        match self {
            Self::Requests(rates) => Self::Requests(Rates { resource: Some((ids, rate)), ..rates }),
            other => other,
        }
    }

    pub const fn per_channel(self) -> Self {
        self.per_resource(2, 1.0)
    }

    pub const fn per_chat(self) -> Self {
        self.per_resource(1, 1.0)
    }

    /// The user is the path's first id.
    pub const fn per_user(self) -> Self {
        match self {
            Self::Requests(rates) => Self::Requests(Rates { user: Some(1.0), ..rates }),
            other => other,
        }
    }
}

/// Directory requests cost one unit unless the table says otherwise.
pub const DIRECTORY: Limit = Limit::Units(1);

/// Teams requests that the table does not name.
pub const DEFAULT: Limit = Limit::requests("default", 30.0);
pub const TEAM: Limit = Limit::requests("team", 30.0).per_resource(1, 4.0);
pub const TEAM_MEMBERS: Limit = Limit::requests("team members", 60.0).per_resource(1, 4.0);
pub const JOINED_TEAMS: Limit = Limit::requests("joinedTeams", 30.0);
pub const CHANNELS: Limit = Limit::requests("channels", 60.0).per_resource(1, 4.0);
pub const CHANNEL: Limit = Limit::requests("channel", 30.0).per_channel();
pub const CHANNEL_MEMBERS: Limit = Limit::requests("channel members", 60.0).per_channel();
/// The list of replies is not named in the table; 1 request per second and channel holds either way.
pub const CHANNEL_MESSAGES: Limit = Limit::requests("channel messages", 20.0).per_channel();
pub const HOSTED_CONTENT: Limit = Limit::requests("hosted content", 60.0);
pub const CHATS: Limit = Limit::requests("chats", 20.0).per_user();
pub const CHAT: Limit = Limit::requests("chat", 200.0).per_chat();
pub const CHAT_MESSAGES: Limit = Limit::requests("chat messages", 20.0).per_chat();
pub const EXPORT: Limit = Limit::requests("export", 200.0);
pub const APPS: Limit = Limit::requests("installed apps", 30.0);
/// The app in the tenant; each of the two has a limit of its own.
pub const INSTALL: Limit = Limit::requests("install app", 30.0);
pub const TABS: Limit = Limit::requests("tabs", 30.0);
pub const CREATE_TEAM: Limit = Limit::requests("create team", 10.0);
pub const COMPLETE: Limit = Limit::requests("complete migration", 10.0);
pub const CREATE_CHANNEL: Limit = Limit::requests("create channel", 10.0).per_resource(1, 4.0);
pub const CREATE_CHAT: Limit = Limit::requests("create chat", 20.0);
const A_MINUTE: f64 = 60.0;
pub const ADD_MEMBER: Limit = Limit::requests("add member", 30.0).per_resource(1, 4.0 / A_MINUTE);
pub const ADD_MEMBERS: Limit = Limit::requests("add members", 10.0).per_resource(1, 4.0 / A_MINUTE);
const UNLIMITED: f64 = 1e9;
pub const POST_TO_CHANNEL: Limit = Limit::Import {
    article: Rates { class: "post to channel", tenant: UNLIMITED, resource: Some((2, 5.0)), user: None },
    table: Rates { class: "post to channel", tenant: 50.0, resource: Some((2, 1.0)), user: None },
};
pub const POST_TO_CHAT: Limit = Limit::requests("post to chat", 20.0).per_chat();
/// "Microsoft Graph service-specific throttling limits", subscriptions.
pub const WINDOW_SECONDS: f64 = 20.0;
pub const CHANGE_SUBSCRIPTION: Limit = Limit::Window("change subscription", 500);
pub const REAUTHORIZE: Limit = Limit::Window("reauthorize subscription", 1_000);
pub const SUBSCRIPTION: Limit = Limit::Window("subscription", 500);
pub const SUBSCRIPTIONS: Limit = Limit::Window("subscriptions", 25);
pub const SCHEDULE: Limit = Limit::requests("schedule", 30.0);
/// Outlook's limit is per mailbox: 10,000 requests in ten minutes.
pub const MAILBOX: Limit = Limit::requests("mailbox", 1_000.0).per_resource(1, 16.0);
/// "Rate limiting" of the Teams platform: per bot and conversation.
pub const SEND: Limit =
    Limit::Connector(Windows { class: "send", counts: &[(7, 1.0), (8, 2.0), (60, 30.0), (1_800, 3_600.0)] });
/// A conversation that is begun has no id yet, so that only the tenant's limit counts.
pub const CREATE_CONVERSATION: Limit = Limit::Connector(Windows { class: "create conversation", counts: &[] });
pub const ROSTER: Limit =
    Limit::Connector(Windows { class: "roster", counts: &[(14, 1.0), (16, 2.0), (120, 30.0), (3_600, 3_600.0)] });
