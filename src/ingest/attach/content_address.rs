//! Where the bytes of a hosted content are: what the address in a message says, and what the message itself says.
//! <https://learn.microsoft.com/graph/api/chatmessagehostedcontent-get>

use percent_encoding::percent_decode_str;

use teams_base::graph::endpoint;
use teams_client::request::Request;

/// The message that a hosted content belongs to, and the content's id, all decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Channel { team: String, channel: String, root: String, message: String, id: String },
    Chat { chat: String, message: String, id: String },
}

impl Place {
    /// Reads an address. Of its host nothing is kept: the bytes are asked of the configured Graph only.
    pub fn parse(url: &str) -> Option<Self> {
        let parts: Vec<String> = url.split('/').map(decode).collect();
        let at = parts.iter().rposition(|part| part == "hostedContents")?;
        let (before, id) = (&parts[..at], parts.get(at + 1)?);
        let is_id = |id: &String| !matches!(id.as_str(), "" | "." | "..");
        let text = |id: &String| is_id(id).then(|| id.clone());
        let words: Vec<&str> = before.iter().map(String::as_str).collect();
        match words.as_slice() {
            [.., "teams", _, "channels", _, "messages", _, "replies", _] => {
                let [.., team, _, channel, _, root, _, message] = before else { return None };
                Some(Self::Channel {
                    team: text(team)?,
                    channel: text(channel)?,
                    root: text(root)?,
                    message: text(message)?,
                    id: text(id)?,
                })
            }
            [.., "teams", _, "channels", _, "messages", _] => {
                let [.., team, _, channel, _, message] = before else { return None };
                let (root, message) = (text(message)?, text(message)?);
                Some(Self::Channel { team: text(team)?, channel: text(channel)?, root, message, id: text(id)? })
            }
            [.., "chats", _, "messages", _] => {
                let [.., chat, _, message] = before else { return None };
                Some(Self::Chat { chat: text(chat)?, message: text(message)?, id: text(id)? })
            }
            _ => None,
        }
    }

    pub fn request(&self) -> Request {
        match self {
            Self::Chat { chat, message, id } => {
                let segments = ["chats", chat, "messages", message, "hostedContents", id, "$value"];
                Request::new(&endpoint::CHAT_HOSTED_CONTENT, &segments, format!("chat {chat}")).conversation(chat)
            }
            Self::Channel { team, channel, root, message, id } => {
                let mut segments = vec!["teams", team, "channels", channel, "messages", root];
                if root != message {
                    segments.extend(["replies", message]);
                }
                segments.extend(["hostedContents", id, "$value"]);
                Request::new(&endpoint::HOSTED_CONTENT, &segments, format!("channel {team}/{channel}"))
                    .team(team)
                    .conversation(channel)
            }
        }
    }
}

/// A part of an address; some come encoded twice.
pub fn decode(part: &str) -> String {
    let once = percent_decode_str(part).decode_utf8_lossy();
    percent_decode_str(&once).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(chat: &str, message: &str, id: &str) -> Place {
        Place::Chat { chat: chat.into(), message: message.into(), id: id.into() }
    }

    #[test]
    fn an_address_tells_the_place_however_often_it_is_encoded() {
        let expected = Some(chat("19:a@b", "1", "aWQ="));
        for url in [
            "https://graph.microsoft.com/v1.0/chats/19:a@b/messages/1/hostedContents/aWQ=/$value",
            "https://graph.microsoft.com/beta/chats/19%3Aa%40b/messages/1/hostedContents/aWQ%3D/$value",
            "https://elsewhere.example/v1.0/users/u/chats/19%253Aa%2540b/messages/1/hostedContents/aWQ%253D/$value",
        ] {
            assert_eq!(Place::parse(url), expected, "{url}");
        }
        let reply = Place::parse("/v1.0/teams/t/channels/c/messages/1/replies/2/hostedContents/x/$value").unwrap();
        let root = Place::parse("/v1.0/teams/t/channels/c/messages/1/hostedContents/x/$value").unwrap();
        assert!(reply != root);
    }

    #[test]
    fn what_names_no_place_is_none() {
        for url in ["", "/v1.0/hostedContents/b/$value", "/v1.0/chats/../messages/1/hostedContents/x/$value"] {
            assert_eq!(Place::parse(url), None, "{url}");
        }
    }
}
