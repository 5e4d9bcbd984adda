//! The size and identity of a tenant, fixed when the emulator starts.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tenant::ids::id_of;
use crate::tenant::knobs::Knobs;
use crate::tenant::unset_time::UnsetTime;

/// The tenant of the default seed.
const TENANT_ID: &str = "8f9c7d5e-1a2b-4c3d-9e4f-5a6b7c8d9e0f";
const SEED: u64 = 7;
/// 2026-01-15T12:00:00Z
const START: Timestamp = Timestamp::constant(1_768_478_400, 0);

/// What the address of an inline image in a message body names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageAddress {
    /// The message that shows it.
    Own,
    /// Another message of the same conversation, which the bytes live with.
    OtherMessage,
    /// A message of another chat, which the bytes live with.
    OtherChat,
    /// The message that shows it, with its ids percent-encoded twice.
    EncodedTwice,
}

/// The size and identity of the tenant. Everything in it follows from these and the seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[serde(default, deny_unknown_fields)]
pub struct EmulatorConfig {
    pub teams: usize,
    pub channels_per_team: usize,
    /// Root messages in each channel.
    pub messages_per_channel: usize,
    /// The average; a thread has from none to twice as many.
    pub replies_per_message: f64,
    /// The longest text; the shortest has three words.
    pub words_per_message: usize,
    pub users: usize,
    pub chats: usize,
    pub messages_per_chat: usize,
    /// Chats that the exports of their members hold and no list shows (beside `chats`): in turn a chat with a user of
    /// another tenant, and one that the user has left.
    pub unlisted_chats: usize,
    pub seed: u64,
    /// 0 asks the system for a free port.
    pub port: u16,
    /// What the emulator's clock shows when it starts.
    #[serde(deserialize_with = "timestamp", serialize_with = "text")]
    pub start: Timestamp,
    /// The tenant lives: its clock shows today unless `start` is given, and every `live_seconds` people write, answer,
    /// react and edit.
    pub live: bool,
    pub live_seconds: f64,
    /// A frozen clock moves only when it is advanced.
    pub frozen_clock: bool,
    /// How far back before `start` the generated messages reach.
    pub history_days: u32,
    /// Groups that carry the Team flag but have no team (beside `teams`).
    pub missing_teams: usize,
    /// Teams that answer 403 (beside `teams`).
    pub forbidden_teams: usize,
    /// Teams whose channels hold no message (beside `teams`).
    pub empty_teams: usize,
    /// Threads with `big_thread_replies` replies, one per channel from the first on.
    pub big_threads: usize,
    pub big_thread_replies: usize,
    /// Whether the last channel of the last team holds no message.
    pub empty_channel: bool,
    /// Whether one message in a hundred has a null `lastModifiedDateTime`, as seen in an import response.
    pub null_modified: bool,
    /// What one message in a hundred has for a `lastModifiedDateTime` instead of its own.
    pub unset_modified: Option<UnsetTime>,
    pub image_address: ImageAddress,
    /// Members of each team; at most `users`.
    pub members_per_team: usize,
    pub threads: usize,
    /// Empty: each seed has its own.
    pub tenant_id: String,
    pub tenant_domain: String,
    pub client_id: String,
    pub client_secret: String,
    #[serde(skip)]
    pub knobs: Knobs,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            teams: 5,
            channels_per_team: 3,
            messages_per_channel: 40,
            replies_per_message: 1.0,
            words_per_message: 23,
            users: 20,
            chats: 10,
            messages_per_chat: 20,
            unlisted_chats: 0,
            seed: SEED,
            port: 0,
            start: START,
            live: false,
            live_seconds: 5.0,
            frozen_clock: false,
            history_days: 400,
            missing_teams: 1,
            forbidden_teams: 0,
            empty_teams: 0,
            big_threads: 1,
            big_thread_replies: 230,
            empty_channel: true,
            null_modified: false,
            unset_modified: None,
            image_address: ImageAddress::Own,
            members_per_team: 12,
            threads: 2,
            tenant_id: String::new(),
            tenant_domain: "emulated.example".to_owned(),
            client_id: "3b1f6a70-52d4-4e8a-b6c9-0d1e2f3a4b5c".to_owned(),
            client_secret: "emulator~secret.value".to_owned(),
            knobs: Knobs::default(),
        }
    }
}

impl EmulatorConfig {
    /// The same with the tenant's id filled in, and today's date where the tenant lives.
    #[must_use]
    pub fn identified(mut self) -> Self {
        if self.tenant_id.is_empty() {
            let seed = self.seed.to_string();
            self.tenant_id = if self.seed == SEED { TENANT_ID.to_owned() } else { id_of(TENANT_ID, &seed) };
        }
        if self.live && self.start == START {
            self.start = Timestamp::now();
        }
        self
    }

    /// The names of all sizes, in the order of the declaration.
    pub fn names() -> Vec<String> {
        match serde_json::to_value(Self::default()) {
            Ok(serde_json::Value::Object(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

fn timestamp<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn text<S: Serializer>(time: &Timestamp, output: S) -> Result<S::Ok, S::Error> {
    output.collect_str(time)
}
