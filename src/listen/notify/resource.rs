//! What a notification is of: the path that it names, in either of Graph's spellings, as keys of tables.
//! <https://learn.microsoft.com/graph/change-notifications-with-resource-data>

use percent_encoding::percent_decode_str;

/// An object of Teams that changed, by the ids that lead to it. They are the keys of its row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    Team { team: String },
    Channel { team: String, channel: String },
    Member { team: String, member: String },
    Message { team: String, channel: String, id: String },
    Reply { team: String, channel: String, root: String, id: String },
    Chat { chat: String },
    ChatMessage { chat: String, id: String },
}

impl Resource {
    /// Reads `teams('t')/channels('c')/messages('m')`, and the same with slashes. `None` for what no table holds.
    pub fn parse(path: &str) -> Option<Self> {
        let words = words(path)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Of one user's chats the path begins with the user.
        let words = match words.as_slice() {
            [users, _, rest @ ..] if is(users, "users") => rest,
            all => all,
        };
        let own = |text: &&str| (*text).to_owned();
        match words {
            [teams, team] if is(teams, "teams") => Some(Self::Team { team: own(team) }),
            [teams, team, kind, id, rest @ ..] if is(teams, "teams") => {
                let team = own(team);
                match rest {
                    [] if is(kind, "channels") => Some(Self::Channel { team, channel: own(id) }),
                    [] if is(kind, "members") => Some(Self::Member { team, member: own(id) }),
                    [messages, message, rest @ ..] if is(kind, "channels") && is(messages, "messages") => {
                        let channel = own(id);
                        match rest {
                            [] => Some(Self::Message { team, channel, id: own(message) }),
                            [replies, reply] if is(replies, "replies") => {
                                Some(Self::Reply { team, channel, root: own(message), id: own(reply) })
                            }
                            _ => None,
                        }
                    }
                    _ => None,
                }
            }
            [chats, chat] if is(chats, "chats") => Some(Self::Chat { chat: own(chat) }),
            [chats, chat, messages, id] if is(chats, "chats") && is(messages, "messages") => {
                Some(Self::ChatMessage { chat: own(chat), id: own(id) })
            }
            _ => None,
        }
    }

    /// The table that has a row of it.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Team { .. } => "teams",
            Self::Channel { .. } => "channels",
            Self::Member { .. } => "members",
            Self::Message { .. } => "messages",
            Self::Reply { .. } => "message_replies",
            Self::Chat { .. } => "chats",
            Self::ChatMessage { .. } => "chat_messages",
        }
    }

    /// The object's own id.
    pub fn id(&self) -> &str {
        match self {
            Self::Team { team: id }
            | Self::Channel { channel: id, .. }
            | Self::Member { member: id, .. }
            | Self::Message { id, .. }
            | Self::Reply { id, .. }
            | Self::Chat { chat: id }
            | Self::ChatMessage { id, .. } => id,
        }
    }

    pub fn team(&self) -> Option<&str> {
        match self {
            Self::Team { team }
            | Self::Channel { team, .. }
            | Self::Member { team, .. }
            | Self::Message { team, .. }
            | Self::Reply { team, .. } => Some(team),
            Self::Chat { .. } | Self::ChatMessage { .. } => None,
        }
    }

    pub fn channel(&self) -> Option<&str> {
        match self {
            Self::Channel { channel, .. } | Self::Message { channel, .. } | Self::Reply { channel, .. } => {
                Some(channel)
            }
            _ => None,
        }
    }

    pub fn chat(&self) -> Option<&str> {
        match self {
            Self::Chat { chat } | Self::ChatMessage { chat, .. } => Some(chat),
            _ => None,
        }
    }

    /// The root that a reply belongs to.
    pub fn root(&self) -> Option<&str> {
        match self {
            Self::Reply { root, .. } => Some(root),
            _ => None,
        }
    }

    pub fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. } | Self::Reply { .. } | Self::ChatMessage { .. })
    }
}

fn is(word: &str, name: &str) -> bool {
    word.eq_ignore_ascii_case(name)
}

/// Names and keys in their order. A key in quotes may hold a slash, and a quote in it is doubled.
fn words(path: &str) -> Option<Vec<String>> {
    /// No path of Graph has more.
    const MOST: usize = 16;
    let mut words = Vec::new();
    let mut rest = path.trim_start_matches('/');
    while !rest.is_empty() {
        let end = rest.find(['/', '(']).unwrap_or(rest.len());
        words.push(decoded(&rest[..end])?);
        rest = &rest[end..];
        if let Some(quoted) = rest.strip_prefix("('") {
            let (key, behind) = quoted_key(quoted)?;
            words.push(key);
            rest = behind.strip_prefix(')')?;
        }
        rest = match rest.strip_prefix('/') {
            Some(behind) if !behind.is_empty() => behind,
            None if rest.is_empty() => rest,
            _ => return None,
        };
        if words.len() > MOST {
            return None;
        }
    }
    words.iter().all(|word| !word.is_empty()).then_some(words)
}

/// A key, and what stands behind the quote that ends it.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('\'')?;
        key.push_str(before);
        match behind.strip_prefix('\'') {
            Some(behind) => {
                key.push('\'');
                rest = behind;
            }
            None => return Some((decoded(&key)?, behind)),
        }
    }
}

/// Without percent-encoding: no id of Teams has a percent sign.
fn decoded(word: &str) -> Option<String> {
    percent_decode_str(word).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn both_spellings_lead_to_the_same_keys() {
        let reply = Resource::Reply {
            team: owned("0d"),
            channel: owned("19:ab@thread.tacv2"),
            root: owned("17"),
            id: owned("18"),
        };
        for path in [
            "teams('0d')/channels('19:ab@thread.tacv2')/messages('17')/replies('18')",
            "/teams/0d/channels/19:ab@thread.tacv2/messages/17/replies/18",
            "Teams('0d')/Channels('19%3aab%40thread.tacv2')/Messages('17')/Replies('18')",
            "teams/0d/channels/19%3Aab%40thread.tacv2/messages/17/replies('18')",
        ] {
            assert_eq!(Resource::parse(path), Some(reply.clone()), "{path}");
        }
        let chat = Resource::ChatMessage { chat: owned("19:c@unq"), id: owned("7") };
        for path in ["chats('19:c@unq')/messages('7')", "users('u')/chats('19:c@unq')/messages('7')"] {
            assert_eq!(Resource::parse(path), Some(chat.clone()), "{path}");
        }
    }

    #[test]
    fn a_key_may_hold_slashes_and_quotes() {
        let member = Resource::Member { team: owned("t"), member: owned("MCMj/M'A==") };
        assert_eq!(Resource::parse("teams('t')/members('MCMj/M''A==')"), Some(member));
    }

    #[test]
    fn what_no_table_holds_is_none() {
        for path in [
            "",
            "/",
            "teams",
            "teams('t",
            "teams('t')x",
            "teams('t')//channels('c')",
            "teams('t')/channels",
            "teams('t')/channels('c')/",
            "teams('t')/channels('c')/tabs('x')",
            "teams('')",
            "users('u')",
            "communications/callRecords('x')",
            "teams('t')/channels('%ff')",
        ] {
            assert_eq!(Resource::parse(path), None, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = Resource::parse(&text);
        }

        #[test]
        fn any_key_comes_back(key in "[^%]{1,40}") {
            let path = format!("chats('{}')", key.replace('\'', "''"));
            proptest::prop_assert_eq!(Resource::parse(&path), Some(Resource::Chat { chat: key }));
        }
    }
}
