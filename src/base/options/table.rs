//! How a table is read.

use std::time::Duration;

use jiff::Timestamp;

use super::Strictness;
use super::catalogue::{self, Door};
use super::value::Values;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    #[default]
    Auto,
    Export,
    Channels,
    Delta,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnForbidden {
    #[default]
    Fail,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatType {
    OneOnOne,
    Group,
    Meeting,
}

impl ChatType {
    pub const ALL: [Self; 3] = [Self::OneOnOne, Self::Group, Self::Meeting];

    /// As Graph writes it in `chatType`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneOnOne => "oneOnOne",
            Self::Group => "group",
            Self::Meeting => "meeting",
        }
    }
}

/// How times come: what Graph types as `DateTimeOffset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timestamps {
    /// Text as Graph sent it.
    #[default]
    Text,
    /// UTC microseconds; null where the text is no time, or one that stands for none, such as that of the year 1.
    Timestamp,
}

/// What options change of a table's columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras {
    /// Adds `_raw`.
    pub raw: bool,
    /// Adds `body_text`.
    pub body_text: bool,
    pub timestamps: Timestamps,
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct TableOptions {
    pub team_ids: Vec<String>,
    pub channel_ids: Vec<String>,
    pub user_ids: Vec<String>,
    pub chat_ids: Vec<String>,
    pub group_ids: Vec<String>,
    pub message_ids: Vec<String>,
    pub exclude_team_ids: Vec<String>,
    pub exclude_channel_ids: Vec<String>,
    pub fetch_all_teams: bool,
    pub fetch_all_channels: bool,
    pub fetch_all_messages: bool,
    pub fetch_all_users: bool,
    pub fetch_all_groups: bool,
    pub top: Option<u32>,
    pub max_pages_per_batch: Option<usize>,
    pub max_records_per_batch: Option<usize>,
    pub start_date: Option<Timestamp>,
    pub lookback: Duration,
    pub strategy: Strategy,
    pub include_raw: bool,
    pub body_text: bool,
    pub hosted_contents_max_bytes: usize,
    pub transcript_text: bool,
    pub on_forbidden: OnForbidden,
    pub min_poll: Duration,
    pub resweep_days: u32,
    pub chat_types: Vec<ChatType>,
    pub chat_sender_filter: bool,
    pub report_period: String,
    pub timestamps: Timestamps,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            team_ids: Vec::new(),
            channel_ids: Vec::new(),
            user_ids: Vec::new(),
            chat_ids: Vec::new(),
            group_ids: Vec::new(),
            message_ids: Vec::new(),
            exclude_team_ids: Vec::new(),
            exclude_channel_ids: Vec::new(),
            fetch_all_teams: false,
            fetch_all_channels: false,
            fetch_all_messages: false,
            fetch_all_users: false,
            fetch_all_groups: false,
            top: None,
            max_pages_per_batch: None,
            max_records_per_batch: None,
            start_date: None,
            lookback: Duration::from_secs(300),
            strategy: Strategy::Auto,
            include_raw: false,
            body_text: false,
            hosted_contents_max_bytes: 0,
            transcript_text: false,
            on_forbidden: OnForbidden::Fail,
            min_poll: Duration::from_secs(60),
            resweep_days: 7,
            chat_types: ChatType::ALL.to_vec(),
            chat_sender_filter: false,
            report_period: "D7".to_owned(),
            timestamps: Timestamps::Text,
        }
    }
}

impl TableOptions {
    /// What options change of the columns.
    pub fn extras(&self) -> Extras {
        Extras { raw: self.include_raw, body_text: self.body_text, timestamps: self.timestamps }
    }

    /// Whether a team, or the group of the same id, is to be left out.
    pub fn excludes_team(&self, id: &str) -> bool {
        self.exclude_team_ids.iter().any(|excluded| excluded == id)
    }

    pub fn excludes_channel(&self, id: &str) -> bool {
        self.exclude_channel_ids.iter().any(|excluded| excluded == id)
    }

    /// All kinds of chats are asked for, those that Microsoft may add included.
    pub fn takes_all_chats(&self) -> bool {
        ChatType::ALL.iter().all(|kind| self.chat_types.contains(kind))
    }
}

/// Reads the table options of a map; known connection options are left alone.
pub fn parse_table(
    pairs: impl IntoIterator<Item = (String, String)>,
    strictness: Strictness,
) -> Result<(TableOptions, Vec<String>)> {
    let (mut values, warnings) = Values::collect(pairs, Door::Table, strictness)?;
    let default = TableOptions::default();
    let seconds = |value: Option<u64>, default| value.map_or(default, Duration::from_secs);
    let options = TableOptions {
        team_ids: values.list("team_id"),
        channel_ids: values.list("channel_id"),
        user_ids: values.list("user_id"),
        chat_ids: values.list("chat_id"),
        group_ids: values.list("group_id"),
        message_ids: values.list("message_id"),
        exclude_team_ids: values.list("exclude_team_id"),
        exclude_channel_ids: values.list("exclude_channel_id"),
        fetch_all_teams: values.flag("fetch_all_teams"),
        fetch_all_channels: values.flag("fetch_all_channels"),
        fetch_all_messages: values.flag("fetch_all_messages"),
        fetch_all_users: values.flag("fetch_all_users"),
        fetch_all_groups: values.flag("fetch_all_groups"),
        top: values.int("top").map(|top| top as u32),
        max_pages_per_batch: values.int("max_pages_per_batch").map(|n| n as usize),
        max_records_per_batch: values.int("max_records_per_batch").map(|n| n as usize),
        start_date: values.time("start_date"),
        lookback: seconds(values.int("lookback_seconds"), default.lookback),
        strategy: strategy(&mut values)?,
        include_raw: values.flag("include_raw"),
        body_text: values.flag("body_text"),
        transcript_text: values.flag("transcript_text"),
        hosted_contents_max_bytes: values.int("hosted_contents_max_bytes").unwrap_or_default() as usize,
        on_forbidden: match values.text("on_forbidden").as_deref() {
            Some("skip") => OnForbidden::Skip,
            _ => OnForbidden::Fail,
        },
        min_poll: seconds(values.int("min_poll_seconds"), default.min_poll),
        resweep_days: values.int("resweep_days").map_or(default.resweep_days, |days| days as u32),
        chat_types: chat_types(&values.list("chat_types")),
        chat_sender_filter: values.flag("chat_sender_filter"),
        report_period: values.text("report_period").unwrap_or(default.report_period),
        timestamps: match values.text("timestamps").as_deref() {
            Some("timestamp") => Timestamps::Timestamp,
            _ => Timestamps::Text,
        },
    };
    Ok((options, warnings))
}

/// `use_delta_api` is the older name of `strategy=delta`.
fn strategy(values: &mut Values) -> Result<Strategy> {
    let delta = values.flag("use_delta_api");
    let word = values.text("strategy");
    if let (true, Some(other)) = (delta, word.as_deref().filter(|word| *word != "delta")) {
        return Err(Error::configuration(format!(
            "Options use_delta_api=true and strategy={other} contradict each other: keep strategy, one of {}",
            catalogue::STRATEGIES.join(", ")
        )));
    }
    Ok(match word.as_deref() {
        Some("export") => Strategy::Export,
        Some("channels") => Strategy::Channels,
        Some("delta") => Strategy::Delta,
        _ if delta => Strategy::Delta,
        _ => Strategy::Auto,
    })
}

fn chat_types(words: &[String]) -> Vec<ChatType> {
    if words.is_empty() {
        return ChatType::ALL.to_vec();
    }
    ChatType::ALL.into_iter().filter(|kind| words.iter().any(|word| word == kind.as_str())).collect()
}
