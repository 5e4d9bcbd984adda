//! What a table's options ask for, of what tenant-wide subscriptions bring.

use std::collections::HashSet;

use crate::notify::resource::Resource;
use teams_base::options::{ChatType, TableOptions};

pub struct Scope {
    /// Empty sets take everything.
    teams: HashSet<String>,
    channels: HashSet<String>,
    chats: HashSet<String>,
    roots: HashSet<String>,
    excluded_teams: HashSet<String>,
    excluded_channels: HashSet<String>,
    /// `None` for all kinds of chats, those that Microsoft may add included.
    chat_types: Option<Vec<ChatType>>,
}

impl Scope {
    pub fn new(options: &TableOptions) -> Self {
        let unless = |all: bool, ids: &[String]| if all { HashSet::new() } else { ids.iter().cloned().collect() };
        let lower = |ids: HashSet<String>| ids.into_iter().map(|id| id.to_ascii_lowercase()).collect();
        Self {
            teams: lower(unless(options.fetch_all_teams, &options.team_ids)),
            channels: unless(options.fetch_all_channels, &options.channel_ids),
            chats: unless(false, &options.chat_ids),
            roots: unless(options.fetch_all_messages, &options.message_ids),
            excluded_teams: lower(unless(false, &options.exclude_team_ids)),
            excluded_channels: unless(false, &options.exclude_channel_ids),
            chat_types: (!options.takes_all_chats()).then(|| options.chat_types.clone()),
        }
    }

    pub fn takes(&self, resource: &Resource) -> bool {
        let among =
            |wanted: &HashSet<String>, id: Option<&str>| wanted.is_empty() || id.is_none_or(|id| wanted.contains(id));
        let not_among = |unwanted: &HashSet<String>, id: Option<&str>| !id.is_some_and(|id| unwanted.contains(id));
        let team = resource.team().map(str::to_ascii_lowercase);
        among(&self.teams, team.as_deref())
            && not_among(&self.excluded_teams, team.as_deref())
            && among(&self.channels, resource.channel())
            && not_among(&self.excluded_channels, resource.channel())
            && among(&self.chats, resource.chat())
            && among(&self.roots, resource.root())
            && resource.chat().is_none_or(|chat| self.takes_kind(chat))
    }

    fn takes_kind(&self, chat: &str) -> bool {
        self.chat_types.as_ref().is_none_or(|wanted| wanted.contains(&kind(chat)))
    }
}

/// What kind of chat it is, as its id tells: a message does not say
/// (<https://learn.microsoft.com/graph/api/resources/chat> shows ids of each kind).
fn kind(chat: &str) -> ChatType {
    if chat.ends_with("@unq.gbl.spaces") {
        ChatType::OneOnOne
    } else if chat.starts_with("19:meeting_") {
        ChatType::Meeting
    } else {
        ChatType::Group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(change: impl FnOnce(&mut TableOptions)) -> Scope {
        let mut options = TableOptions::default();
        change(&mut options);
        Scope::new(&options)
    }

    fn takes(scope: &Scope, path: &str) -> bool {
        scope.takes(&Resource::parse(path).unwrap())
    }

    #[test]
    fn options_narrow_what_comes() {
        let one = vec!["A".to_owned()];
        let teams = scope(|options| options.team_ids.clone_from(&one));
        assert!(takes(&teams, "teams('a')/channels('c')") && !takes(&teams, "teams('b')/channels('c')"));
        assert!(takes(&scope(|_| ()), "teams('b')"));
        let all = scope(|options| (options.team_ids, options.fetch_all_teams) = (one.clone(), true));
        assert!(takes(&all, "teams('b')"));
        let excluded = scope(|options| options.exclude_team_ids.clone_from(&one));
        assert!(!takes(&excluded, "teams('a')/members('m')") && takes(&excluded, "chats('c')"));
        let roots = scope(|options| options.message_ids = vec!["1".to_owned()]);
        assert!(takes(&roots, "teams('t')/channels('c')/messages('1')/replies('2')"));
        assert!(!takes(&roots, "teams('t')/channels('c')/messages('3')/replies('2')"));
    }

    #[test]
    fn the_kind_of_a_chat_is_read_from_its_id() {
        let groups = scope(|options| options.chat_types = vec![ChatType::Group]);
        assert!(takes(&groups, "chats('19:x@thread.v2')/messages('1')"));
        assert!(!takes(&groups, "chats('19:a_b@unq.gbl.spaces')/messages('1')"));
        assert!(!takes(&groups, "chats('19:meeting_x@thread.v2')/messages('1')"));
    }
}
