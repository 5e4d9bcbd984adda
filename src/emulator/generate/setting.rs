//! The conversation that a message is written for.

use rand::Rng;
use rand::rngs::StdRng;

use crate::generate::message::Place;
use crate::tenant::model::Tenant;

/// A conversation, and the members who may write in it.
pub struct Setting<'a> {
    pub tenant: &'a Tenant,
    pub members: &'a [usize],
    pub team: &'a str,
    pub conversation: &'a str,
    pub is_chat: bool,
}

impl Setting<'_> {
    pub fn place(&self) -> Place<'_> {
        if self.is_chat {
            Place::Chat { chat: self.conversation }
        } else {
            Place::Channel { tenant: &self.tenant.id, team: self.team, channel: self.conversation }
        }
    }

    pub fn member(&self, rng: &mut StdRng) -> usize {
        if self.members.is_empty() { 0 } else { self.members[rng.random_range(0..self.members.len())] }
    }
}
