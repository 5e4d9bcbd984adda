//! The conversation that a path names: a channel or a chat.

use crate::handlers::call::{WriteCall, team};
use crate::http::error::GraphError;
use crate::tenant::model::{Membership, Object, Thread};

#[derive(Clone, Copy)]
pub enum Place {
    /// Positions of the team and of its channel.
    Channel(usize, usize),
    Chat(usize),
}

impl Place {
    /// The first two ids of the path are a team and a channel.
    pub fn channel(call: &WriteCall<'_>) -> Result<Self, GraphError> {
        let team_at = open_team(call)?;
        let channels = &call.tenant.teams[team_at].channels;
        let found = channels.iter().position(|channel| channel.id == call.id(1) && !channel.removed);
        found.map(|at| Self::Channel(team_at, at)).ok_or_else(|| GraphError::not_found("NotFound"))
    }

    /// The first id of the path is a chat.
    pub fn chat(call: &WriteCall<'_>) -> Result<Self, GraphError> {
        let found = call.tenant.chat_index.get(call.id(0)).copied();
        found.map(Self::Chat).ok_or_else(|| GraphError::not_found("NotFound"))
    }

    pub fn id(self, call: &WriteCall<'_>) -> String {
        match self {
            Self::Channel(team, channel) => call.tenant.teams[team].channels[channel].id.clone(),
            Self::Chat(chat) => call.tenant.chats[chat].id.clone(),
        }
    }

    pub fn properties<'c>(self, call: &'c mut WriteCall<'_>) -> &'c mut Object {
        match self {
            Self::Channel(team, channel) => &mut call.tenant.teams[team].channels[channel].properties,
            Self::Chat(chat) => &mut call.tenant.chats[chat].properties,
        }
    }

    pub fn thread<'c>(self, call: &'c mut WriteCall<'_>) -> &'c mut Thread {
        match self {
            Self::Channel(team, channel) => &mut call.tenant.teams[team].channels[channel].thread,
            Self::Chat(chat) => &mut call.tenant.chats[chat].thread,
        }
    }

    pub fn is_standard_channel(self, call: &WriteCall<'_>) -> bool {
        match self {
            Self::Channel(team, channel) => {
                call.tenant.teams[team].channels[channel].membership == Membership::Standard
            }
            Self::Chat(_) => false,
        }
    }
}

/// The team that the path's first id names, once it is provisioned.
pub fn open_team(call: &WriteCall<'_>) -> Result<usize, GraphError> {
    let id = call.id(0);
    let (at, _) = team(&*call.tenant, call.knobs, id)?;
    let waits = call.tenant.operations.values().any(|operation| operation.team == id && operation.polls_left > 0);
    if waits { Err(GraphError::no_team(id)) } else { Ok(at) }
}
