//! The conversation that a path names, and whether the bot may use it.

use crate::bot::{address, error};
use crate::handlers::call::{Call, WriteCall};
use crate::http::error::GraphError;
use crate::tenant::bot::{Conversation, With};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;

/// A conversation of the bot.
pub struct Place {
    pub with: With,
    /// Without the thread.
    pub conversation: String,
    /// The root of the thread that the path names.
    pub root: Option<i64>,
}

/// A conversation's id without `;messageid=`, and the root's id.
pub fn split(id: &str) -> Result<(&str, Option<i64>), GraphError> {
    match id.split_once(";messageid=") {
        None => Ok((id, None)),
        Some((conversation, root)) => {
            let root = root.parse().map_err(|_| error::of("BadSyntax"))?;
            Ok((conversation, Some(root)))
        }
    }
}

/// Positions of the channel with this id, in a team that exists.
pub fn channel(tenant: &Tenant, id: &str) -> Option<(usize, usize)> {
    tenant.live_teams().find_map(|(at, team)| {
        let found = team.channels.iter().position(|channel| channel.id == id && !channel.removed)?;
        Some((at, found))
    })
}

/// The error that was asked for, for a user or a channel.
pub fn refusal(knobs: &Knobs, recipient: &str) -> Result<(), GraphError> {
    knobs.bot_errors.get(recipient).map_or(Ok(()), |code| Err(error::of(code)))
}

/// What the ledger calls whom a conversation is with.
pub fn recipient(tenant: &Tenant, with: With) -> &str {
    match with {
        With::Person(user) => &tenant.users[user].id,
        With::Channel(team, channel) => &tenant.teams[team].channels[channel].id,
    }
}

impl Place {
    /// The conversation of the path's first id. A channel is one as soon as it is written to.
    pub fn of<T: std::ops::Deref<Target = Tenant>>(call: &Call<'_, T>) -> Result<Self, GraphError> {
        let (conversation, root) = split(call.id(0))?;
        let tenant = &*call.tenant;
        let known = tenant.bot.conversations.get(conversation).map(|known| known.with);
        let with = known.or_else(|| channel(tenant, conversation).map(|(team, at)| With::Channel(team, at)));
        let with = with.ok_or_else(|| error::of("ConversationNotFound"))?;
        Ok(Self { with, conversation: conversation.to_owned(), root })
    }

    /// Whether the bot may write there now.
    pub fn check_writable(&self, call: &WriteCall<'_>) -> Result<(), GraphError> {
        let tenant = &*call.tenant;
        let recipient = recipient(tenant, self.with);
        refusal(call.knobs, recipient)?;
        if let With::Person(user) = self.with {
            if tenant.users[user].removal.is_some() {
                return Err(error::of("ConversationNotFound"));
            }
            if tenant.bot.blocked.contains(recipient) {
                return Err(error::of("MessageWritesBlocked"));
            }
            if !tenant.bot.has_app(call.knobs, recipient) {
                return Err(error::of("BotNotInConversationRoster"));
            }
        }
        Ok(())
    }
}

/// The conversation of the place, which a channel gets with its first message.
pub fn open<'c>(call: &'c mut WriteCall<'_>, place: &Place) -> &'c mut Conversation {
    call.tenant.bot.conversations.entry(place.conversation.clone()).or_insert_with(|| Conversation::new(place.with))
}

/// The user whom the connector calls so: by its own id, by object id or by user principal name.
pub fn person(tenant: &Tenant, id: &str) -> Option<usize> {
    if id.starts_with("29:") {
        return tenant.users.iter().position(|user| user.removal.is_none() && address::person(&user.id) == id);
    }
    tenant.user(id)
}
