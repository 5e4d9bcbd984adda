//! The offset: where an incremental read stands. Versioned, bounded, and equal as text when it is equal.
//!
//! The only place that knows an offset's text: what others ask of one is answered by [`offset_info`].

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::round_state::{Phase, RoundState};
use super::scope_set::ScopeSet;
use crate::pagination::Trail;
use teams_base::error::{Error, Result};

const VERSION: u32 = 1;

/// At most this many half-read scopes are kept, so that an offset stays bounded.
pub const MAX_OPEN: usize = 32;

/// The longest text of an offset, without the commas between scopes.
const MAX_BYTES: usize = (64 << 10) - 64;
/// At least this much is for half-read scopes: what ten thousand known scopes leave, be they late or not.
const OPEN_BYTES: usize = 14 << 10;
/// Of these, what failed histories may take.
const STOOD_BYTES: usize = 4 << 10;

/// What is read next of a half-read scope. One letter each: 32 of them have to fit beside ten thousand known scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenStage {
    /// The parent's children.
    #[serde(rename = "p")]
    Parent,
    /// A window of the parent's export: `from`, `to`.
    #[serde(rename = "e")]
    Export,
    /// The pages of a child.
    #[serde(rename = "c")]
    Child,
}

/// A half-read scope: its next page, or the window still to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub scope: String,
    /// Absent of a directory, and in offsets of earlier releases: see [`Open::stage`].
    #[serde(default, rename = "s", skip_serializing_if = "Option::is_none")]
    pub stage: Option<OpenStage>,
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
    /// How the link was come to.
    #[serde(flatten)]
    pub trail: Trail,
    /// When the window was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// Its parent's export was refused, so that its children are read one by one.
    #[serde(default, rename = "r", skip_serializing_if = "is_false")]
    pub refused: bool,
    /// Of a first history that failed behind its beginning: when the round began that it was begun in.
    #[serde(default, rename = "u", skip_serializing_if = "Option::is_none")]
    pub history_until: Option<Timestamp>,
    /// How often a round has gone on from here in vain.
    #[serde(default, rename = "w", skip_serializing_if = "is_zero")]
    pub stalls: u8,
    /// A directory is being read anew, and what was deleted meanwhile is still to be asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resync: bool,
}

impl Open {
    /// The stage. Older offsets do not say it: there only an export has an end, and only a child's scope has a slash.
    pub fn stage(&self) -> OpenStage {
        self.stage.unwrap_or(match self.to {
            Some(_) => OpenStage::Export,
            None if self.scope.contains('/') => OpenStage::Child,
            None => OpenStage::Parent,
        })
    }

    fn is_export(&self) -> bool {
        self.stage() == OpenStage::Export
    }

    /// The same at its first page.
    fn begun_anew(&self) -> Self {
        Self { link: None, begun: None, trail: Trail::default(), ..self.clone() }
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
    /// First histories that failed in this round behind their beginning: the next one goes on from where they stood.
    pub stood: Vec<Open>,
    pub known: ScopeSet,
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
    /// The same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stood: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    known: String,
    /// See [`ScopeSet::late_since`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Timestamp>,
    /// See [`ScopeSet::has_failures`].
    #[serde(default, skip_serializing_if = "is_false")]
    failed: bool,
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

/// What others than the reader ask of an offset.
#[derive(Debug, PartialEq, Eq)]
pub struct OffsetInfo {
    /// No round is under way: nothing has been read yet, or the last round is over.
    pub finished: bool,
    /// A scope failed in the round, and its error may not have been told.
    pub failed: bool,
    /// Graph's clock when the round began, as it was written.
    pub until: Option<String>,
    /// Equal for offsets that differ in their clock only.
    pub without_clock: String,
}

/// Answers for every text, so that a report never fails because of an offset: of a text that is not one of this
/// connector's, nothing is known. What can't be read on from is refused by [`Offset::parse`].
pub fn offset_info(text: &str) -> OffsetInfo {
    let unknown = OffsetInfo { finished: true, failed: false, until: None, without_clock: text.to_owned() };
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return unknown };
    let phase = fields.get("phase").and_then(|phase| Phase::deserialize(phase).ok());
    let until = fields.remove("until");
    fields.remove("since");
    OffsetInfo {
        finished: phase.is_none_or(|phase| phase == Phase::Done),
        failed: fields.get("failed").and_then(Value::as_bool).unwrap_or_default(),
        until: until.as_ref().and_then(Value::as_str).map(str::to_owned),
        without_clock: to_json(&fields),
    }
}

/// What an offset's text turned out to be.
#[derive(Debug, PartialEq)]
pub enum Parsed {
    /// Nothing has been read yet.
    Start,
    Offset(Box<Offset>),
    /// An offset of the connector that this one replaces. Its rows are known to be incomplete, so everything is read.
    Foreign,
}

impl Offset {
    /// Nothing has been read yet.
    pub fn begin(until: Timestamp) -> Self {
        Self {
            phase: Phase::Read,
            since: None,
            until,
            swept: None,
            export: true,
            after: None,
            open: Vec::new(),
            stood: Vec::new(),
            known: ScopeSet::default(),
        }
    }

    /// What a round that goes on from here knows.
    pub fn round(&self) -> RoundState {
        RoundState {
            phase: self.phase,
            since: self.since,
            swept: self.swept,
            export: self.export,
            known: Mutex::new(self.known.clone()),
            standing: self.standing().map(|open| open.scope.clone()).collect(),
            failed_exports: self.stood.iter().filter(|open| open.is_export()).map(|open| open.scope.clone()).collect(),
            ..RoundState::first(self.until)
        }
    }

    /// The first histories that failed, in this round or in the last one.
    fn standing(&self) -> impl Iterator<Item = &Open> {
        self.open.iter().chain(&self.stood).filter(|open| open.history_until.is_some())
    }

    /// Whether the export of a parent's history stands half-read, so that it is not begun anew.
    pub fn is_export_standing(&self, parent: &str) -> bool {
        self.standing().any(|open| open.is_export() && open.scope == parent)
    }

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
        let list = |text: &str| if text.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(text) };
        let scopes = |text: &str| list(text).map_err(|_| refuse("its half-read scopes are damaged"));
        Ok(Parsed::Offset(Box::new(Self {
            phase: written.phase,
            since: written.since,
            until: written.until,
            swept: written.swept,
            export: written.export,
            after: written.after,
            open: scopes(&written.open)?,
            stood: scopes(&written.stood)?,
            known: ScopeSet::decode(&written.known, written.late, written.failed)
                .ok_or_else(|| refuse("its known scopes are damaged"))?,
        })))
    }

    /// Bytes that half-read scopes may take in the text.
    pub fn room(&self) -> usize {
        let others = Self { open: Vec::new(), stood: Vec::new(), ..self.clone() };
        let stood: usize = self.stood.iter().map(bytes).sum();
        MAX_BYTES.saturating_sub(others.to_text().len()).max(OPEN_BYTES).saturating_sub(stood)
    }

    /// Keeps as many of the failed histories as have room, those of one scope together. The others begin again. Returns how
    /// many scopes do.
    pub fn limit_stood(&mut self) -> usize {
        let mut room = STOOD_BYTES;
        let mut dropped = 0;
        let stood = std::mem::take(&mut self.stood);
        for scope in stood.chunk_by(|a, b| a.scope == b.scope) {
            let needed: usize = scope.iter().map(bytes).sum();
            if needed <= room {
                room -= needed;
                self.stood.extend_from_slice(scope);
            } else {
                if scope[0].is_export() {
                    self.known.spoil(&scope[0].scope);
                }
                dropped += 1;
            }
        }
        dropped
    }

    /// Drops the links of the last half-read scopes until the others have room: those scopes begin again, and their rows
    /// repeat. Returns how many did not fit.
    pub fn drop_links(&mut self) -> usize {
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
        let list = |open: &[Open]| if open.is_empty() { String::new() } else { to_json(&open) };
        to_json(&Written {
            version: VERSION,
            phase: self.phase,
            since: self.since,
            until: self.until,
            swept: self.swept,
            export: self.export,
            after: self.after.clone(),
            open: list(&self.open),
            stood: list(&self.stood),
            known: self.known.encode(),
            late: self.known.late_since(),
            failed: self.known.has_failures(),
        })
    }
}

/// What a half-read scope takes in an offset, where its quotes are escaped.
fn bytes(open: &Open) -> usize {
    to_json(&to_json(open)).len()
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and times always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Offset {
        let mut known = ScopeSet::default();
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
                stage: Some(OpenStage::Child),
                link: Some("https://graph/x?$skiptoken=1".into()),
                ..Open::default()
            }],
            stood: Vec::new(),
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
        let stage = Some(OpenStage::Child);
        let open = Open { scope: "s".repeat(90), stage, link: Some(link), from: offset.since, ..Open::default() };
        offset.open = vec![open; MAX_OPEN];
        let text = offset.to_text();
        assert!(text.len() < 64 * 1024, "{}", text.len());
        assert_eq!(Offset::parse(&text).unwrap(), Parsed::Offset(Box::new(offset)));
    }

    #[test]
    fn ten_thousand_late_scopes_stay_below_64_kib() {
        let mut offset = sample();
        for n in 0..10_000 {
            let scope = format!("0b1d2f3a-4c5d-4e6f-8a9b-{n:012}/19:{n:032x}@thread.tacv2");
            offset.known.insert(&scope);
            offset.known.fail(&scope, offset.since);
        }
        let link = Some(format!("https://graph.microsoft.com/v1.0/teams/x?$skiptoken={}", "t".repeat(300)));
        let trail = Trail { empty: 0, followed: 1_000_000, mark: u64::MAX };
        offset.open = vec![Open { scope: "s".repeat(90), link, trail, ..Open::default() }; MAX_OPEN];
        offset.stood = offset.open[..MAX_OPEN / 2].to_vec();
        assert_eq!(offset.limit_stood(), 1, "those of one scope are dropped together");
        let stood =
            |n: usize| Open { scope: format!("{n:090}"), history_until: Some(offset.until), ..offset.open[0].clone() };
        offset.stood = (0..MAX_OPEN).map(stood).collect();
        let dropped = offset.limit_stood();
        assert!((MAX_OPEN - 9..MAX_OPEN - 4).contains(&dropped), "{dropped}");
        assert!(offset.drop_links() > 0);
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

    /// As releases before the stage was written had them.
    #[test]
    fn offsets_of_earlier_releases_are_read() {
        let text = concat!(
            r#"{"version":1,"phase":"read","since":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z","#,
            r#""swept":"2026-01-01T00:00:00Z","after":"t4","open":"[{\"scope\":\"t1\",\"after\":\"19:a@thread.tacv2\","#,
            r#"\"exported\":true},{\"scope\":\"t2\",\"to\":\"2026-01-02T00:00:00Z\",\"rereads\":2},"#,
            r#"{\"scope\":\"t3\",\"link\":\"https://graph.microsoft.com/v1.0/teams/t3/channels/getAllMessages?$skip=50\","#,
            r#"\"from\":\"2025-12-01T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\",\"begun\":\"2026-01-02T00:00:01Z\"},"#,
            r#"{\"scope\":\"t4/19:b@thread.tacv2\",\"link\":\"https://graph.microsoft.com/v1.0/teams/t4\",\"empty\":3}]","#,
            r#""known":"~AQAAACWBPTxByg"}"#,
        );
        let Parsed::Offset(offset) = Offset::parse(text).unwrap() else { panic!("an offset") };
        let stages: Vec<_> = offset.open.iter().map(Open::stage).collect();
        assert_eq!(stages, [OpenStage::Parent, OpenStage::Export, OpenStage::Export, OpenStage::Child]);
        assert!(offset.open[0].exported && offset.open[0].after.is_some());
        assert_eq!((offset.open[1].rereads, offset.open[3].trail.empty, offset.known.len()), (2, 3, 1));
        assert_eq!(offset.to_text(), text, "what is not read on stays as it was");

        let chats = r#"{"version":1,"phase":"done","until":"2026-01-02T00:00:00Z","export":false,"known":"AQIDBA"}"#;
        let Parsed::Offset(offset) = Offset::parse(chats).unwrap() else { panic!("an offset") };
        assert_eq!((offset.phase, offset.export, offset.swept, offset.known.len()), (Phase::Done, false, None, 4));

        let users = concat!(
            r#"{"version":1,"phase":"done","until":"2026-01-02T00:00:00Z","#,
            r#""open":"[{\"scope\":\"users\",\"link\":\"https://graph.microsoft.com/v1.0/users/delta?$deltatoken=x\"}]"}"#,
        );
        let Parsed::Offset(offset) = Offset::parse(users).unwrap() else { panic!("an offset") };
        assert!(offset.open[0].link.as_ref().is_some_and(|link| link.ends_with("deltatoken=x")));
        assert_eq!(offset.to_text(), users);
    }

    #[test]
    fn the_written_stage_counts_and_not_the_look_of_a_scope() {
        for stage in [OpenStage::Parent, OpenStage::Export, OpenStage::Child] {
            let open = Open { scope: "a/b".into(), stage: Some(stage), ..Open::default() };
            let offset = Offset { open: vec![open], ..sample() };
            let Parsed::Offset(read) = Offset::parse(&offset.to_text()).unwrap() else { panic!("an offset") };
            assert_eq!(read.open[0].stage(), stage);
        }
    }

    #[test]
    fn others_are_told_what_they_ask_of_an_offset() {
        let info = offset_info(&sample().to_text());
        assert_eq!((info.finished, info.until.as_deref()), (false, Some("2026-01-02T00:00:00Z")));
        let later = Offset { since: None, until: "2026-02-01T00:00:00Z".parse().unwrap(), ..sample() };
        assert_eq!(offset_info(&later.to_text()).without_clock, info.without_clock);
        let done = offset_info(&Offset { phase: Phase::Done, ..sample() }.to_text());
        assert!(done.finished && done.without_clock != info.without_clock);
        for text in ["{}", "null", "", "7", r#"{"cursor":"2025-01-01T00:00:00Z"}"#] {
            let info = offset_info(text);
            assert_eq!((info.finished, info.until, info.without_clock.as_str()), (true, None, text));
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
