//! The offset: where an incremental read stands. Versioned, bounded, and equal as text when it is equal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::known::Known;
use teams_base::error::{Error, Result};

const VERSION: u32 = 1;

/// At most this many half-read scopes are kept, so that an offset stays bounded.
pub const MAX_OPEN: usize = 32;

/// What an offset may hold as text, but for the commas between scopes.
const MAX_BYTES: usize = (64 << 10) - 64;
/// What is left of it beside ten thousand known scopes, and is never less.
const OPEN_BYTES: usize = 16 << 10;

/// What the current round is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading what was never read, and what changed.
    Read,
    /// Exporting changes that `Read` can't see, such as late edits of old replies.
    Sweep,
    /// The round is over.
    Done,
}

/// A half-read scope: its next page, or the window still to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Children up to this one have been started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The history was exported in this round.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exported: bool,
    /// How often the window has been read again because rows left it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rereads: u8,
    /// Pages in a row that held nothing, up to the link.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty: u32,
    /// When the window was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// A directory is being read anew, and what was deleted meanwhile is still to be asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resync: bool,
}

impl Open {
    /// The same at its first page.
    fn begun_anew(&self) -> Self {
        Self { link: None, begun: None, empty: 0, ..self.clone() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    pub phase: Phase,
    /// Changes up to here have been read by earlier rounds. Of a directory: when everything began to be read again.
    pub since: Option<Timestamp>,
    /// Graph's clock when this round began.
    pub until: Timestamp,
    /// `until` of the last finished sweep.
    pub swept: Option<Timestamp>,
    /// Whether the export API answers here; false after it was found not to.
    pub export: bool,
    /// The last scope started, in sorted order.
    pub after: Option<String>,
    pub open: Vec<Open>,
    pub known: Known,
}

/// The written form. Flat, with strings, numbers and booleans only: Spark offsets hold nothing else.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<Timestamp>,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    export: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// JSON text of a list of [`Open`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    open: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    known: String,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What an offset's text turned out to be.
#[derive(Debug, PartialEq)]
pub enum Parsed {
    /// Nothing has been read yet.
    Start,
    Offset(Box<Offset>),
    /// The offset of the connector this one replaces. Its rows are known to be incomplete, so everything is read.
    Foreign,
}

impl Offset {
    pub fn parse(text: &str) -> Result<Parsed> {
        let refuse = |why: &str| {
            Error::configuration(format!(
                "offset: {why}. Start with a full refresh of this table, which begins again without an offset"
            ))
        };
        let value: Value = serde_json::from_str(text).map_err(|_| refuse("it is not JSON"))?;
        let Some(object) = value.as_object() else {
            return if value.is_null() { Ok(Parsed::Start) } else { Err(refuse("it is not an object")) };
        };
        if object.is_empty() {
            return Ok(Parsed::Start);
        }
        let Some(version) = object.get("version") else {
            let is_foreign = object.contains_key("cursor") || object.contains_key("deltaLinks");
            return if is_foreign { Ok(Parsed::Foreign) } else { Err(refuse("it was not written by this connector")) };
        };
        if version != VERSION {
            return Err(refuse(&format!("its version {version} is unknown to this release, which writes {VERSION}")));
        }
        let written: Written = serde_json::from_value(value).map_err(|_| refuse("it is damaged"))?;
        let open = if written.open.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(&written.open) };
        Ok(Parsed::Offset(Box::new(Self {
            phase: written.phase,
            since: written.since,
            until: written.until,
            swept: written.swept,
            export: written.export,
            after: written.after,
            open: open.map_err(|_| refuse("its half-read scopes are damaged"))?,
            known: Known::decode(&written.known).ok_or_else(|| refuse("its known scopes are damaged"))?,
        })))
    }

    /// Bytes that half-read scopes may take in the text.
    pub fn room(&self) -> usize {
        let others = Self { open: Vec::new(), ..self.clone() };
        MAX_BYTES.saturating_sub(others.to_text().len()).max(OPEN_BYTES)
    }

    /// Drops the links of the last half-read scopes until the others have room: those scopes begin again, and their rows
    /// repeat. Returns how many did not fit.
    pub fn drop_links(&mut self) -> usize {
        let bytes = |open: &Open| to_json(&to_json(open)).len();
        let mut room = self.room().saturating_sub(self.open.iter().map(|open| bytes(&open.begun_anew())).sum());
        let mut dropped = 0;
        for open in self.open.iter_mut().filter(|open| open.link.is_some()) {
            let link = bytes(open) - bytes(&open.begun_anew());
            if link <= room {
                room -= link;
            } else {
                *open = open.begun_anew();
                dropped += 1;
            }
        }
        dropped
    }

    pub fn to_text(&self) -> String {
        let open = if self.open.is_empty() { String::new() } else { to_json(&self.open) };
        to_json(&Written {
            version: VERSION,
            phase: self.phase,
            since: self.since,
            until: self.until,
            swept: self.swept,
            export: self.export,
            after: self.after.clone(),
            open,
            known: self.known.encode(),
        })
    }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and times always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Offset {
        let mut known = Known::default();
        known.insert("a/b");
        Offset {
            phase: Phase::Read,
            since: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            until: "2026-01-02T00:00:00Z".parse().unwrap(),
            swept: None,
            export: false,
            after: Some("a/b".into()),
            open: vec![Open {
                scope: "a/c".into(),
                link: Some("https://graph/x?$skiptoken=1".into()),
                ..Open::default()
            }],
            known,
        }
    }

    #[test]
    fn an_offset_survives_its_text_and_holds_only_primitives() {
        let offset = sample();
        let text = offset.to_text();
        assert_eq!(Offset::parse(&text).unwrap(), Parsed::Offset(Box::new(offset)));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.as_object().unwrap().values().all(|v| !v.is_object() && !v.is_array()), "{text}");
    }

    #[test]
    fn ten_thousand_channels_and_all_places_taken_stay_below_64_kib() {
        let mut offset = sample();
        for n in 0..10_000 {
            offset.known.insert(&format!("0b1d2f3a-4c5d-4e6f-8a9b-{n:012}/19:{n:032x}@thread.tacv2"));
        }
        let link = format!("https://graph.microsoft.com/v1.0/teams/x?$skiptoken={}", "t".repeat(300));
        let open = Open { scope: "s".repeat(90), link: Some(link), from: offset.since, ..Open::default() };
        offset.open = vec![open; MAX_OPEN];
        let text = offset.to_text();
        assert!(text.len() < 64 * 1024, "{}", text.len());
        assert_eq!(Offset::parse(&text).unwrap(), Parsed::Offset(Box::new(offset)));
    }

    #[test]
    fn links_that_do_not_fit_are_dropped_from_the_end() {
        let link = format!("https://graph.microsoft.com/v1.0/teams/x?$skiptoken={}", "t".repeat(2_000));
        let open = |n: usize| Open { scope: format!("{n:090}"), link: Some(link.clone()), ..Open::default() };
        for (known, kept) in [(0, 26..30), (10_000, 5..9)] {
            let mut offset = sample();
            (0..known).for_each(|n| offset.known.insert(&format!("scope {n}")));
            offset.open = (0..MAX_OPEN).map(open).collect();
            assert!(offset.to_text().len() > 64 << 10);
            let dropped = offset.drop_links();
            let text = offset.to_text();
            assert!(text.len() < 64 << 10, "{known}: {}", text.len());
            assert!(kept.contains(&(MAX_OPEN - dropped)), "{known}: {dropped} dropped");
            let has_link: Vec<bool> = offset.open.iter().map(|open| open.link.is_some()).collect();
            assert!(has_link.is_sorted_by(|a, b| a >= b), "{has_link:?}");
            assert_eq!(Offset::parse(&text).unwrap(), Parsed::Offset(Box::new(offset.clone())));
            assert_eq!(offset.drop_links(), 0);
        }
    }

    #[test]
    fn empty_and_foreign_offsets_are_told_apart() {
        assert_eq!(Offset::parse("{}").unwrap(), Parsed::Start);
        assert_eq!(Offset::parse("null").unwrap(), Parsed::Start);
        assert_eq!(Offset::parse(r#"{"cursor":"2025-01-01T00:00:00Z"}"#).unwrap(), Parsed::Foreign);
        assert_eq!(Offset::parse(r#"{"deltaLinks":{"a/b":"https://x"}}"#).unwrap(), Parsed::Foreign);
    }

    #[test]
    fn damaged_offsets_say_what_to_do() {
        for text in [
            "",
            "[]",
            "7",
            r#"{"x":1}"#,
            r#"{"version":99,"phase":"read"}"#,
            r#"{"version":1,"phase":"nope","until":"2026-01-02T00:00:00Z"}"#,
            r#"{"version":1,"phase":"read","until":"2026-01-02T00:00:00Z","known":"!"}"#,
            r#"{"version":1,"phase":"read","until":"2026-01-02T00:00:00Z","open":"["}"#,
        ] {
            let message = Offset::parse(text).unwrap_err().to_string();
            assert!(message.contains("full refresh"), "{text}: {message}");
        }
    }
}
