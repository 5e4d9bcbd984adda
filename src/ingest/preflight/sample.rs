//! How big a tenant is, from a few requests: lists are counted, what hangs below them is sampled and extrapolated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cost::{Run, needed_counts};
use crate::error_policy::is_refused_or_absent;
use crate::page_sizes;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::options::TableOptions;
use teams_base::timestamp;
use teams_client::{GraphClient, Malformed, Request};
use teams_tables::Table;

/// This many of each kind are looked into.
const SAMPLES: usize = 10;
/// This many pages of a list are counted.
const PAGES: usize = 50;
/// What a page of messages is asked for.
const PAGE: usize = 50;

/// What was counted, and how the rest was made of it.
#[derive(Debug, Default)]
pub struct Sample {
    pub counts: BTreeMap<String, f64>,
    /// Counts that were needed and refused, with the error.
    pub unknown: BTreeMap<String, String>,
    pub notes: Vec<String>,
}

/// How many of what was looked into answered, and who refused.
#[derive(Default)]
struct Looked {
    answered: f64,
    refused: Vec<Error>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Page<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Thing {
    id: String,
}

#[derive(Deserialize, Clone)]
struct Conversation {
    id: String,
    #[serde(rename = "membershipType")]
    membership: Option<String>,
    #[serde(rename = "createdDateTime")]
    created: Option<String>,
    #[serde(default)]
    members: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "lastModifiedDateTime")]
    modified: Option<String>,
    #[serde(default)]
    replies: Vec<Message>,
}

impl Message {
    /// When the thread last moved, which is what channels are listed by.
    fn moved(&self) -> Option<Timestamp> {
        let times = std::iter::once(self).chain(&self.replies).map(|message| message.modified.as_deref());
        times.filter_map(|text| timestamp::known(text?)).max()
    }
}

/// Messages of the sampled conversations.
#[derive(Default)]
struct Messages {
    conversations: Looked,
    roots: f64,
    seen_roots: f64,
    seen_replies: f64,
    extrapolated: usize,
}

struct Sampler<'c> {
    client: &'c GraphClient,
    /// The counts that some table costs by.
    needed: BTreeSet<&'static str>,
    sample: Sample,
}

/// Counts what the costs of these tables depend on. What one of them names is counted by its options instead.
pub async fn sample(client: &GraphClient, tables: &[(&'static Table, TableOptions)]) -> Result<Sample> {
    let mut needs = Vec::new();
    for (table, options) in tables {
        let mut needed = BTreeSet::new();
        for run in [Run::First, Run::Quiet, Run::Daily] {
            needed.append(&mut needed_counts(table, options, run)?);
        }
        needs.push((needed, options));
    }
    // The options of the first table that costs by the first of these counts, or else by the next of them.
    let by = |names: &[&str]| {
        let first = |name| needs.iter().find(|(needed, _)| needed.contains(name)).map(|(_, options)| *options);
        names.iter().find_map(first)
    };
    let needed = needs.iter().flat_map(|(needed, _)| needed.iter().copied()).collect();
    let mut sampler = Sampler { client, needed, sample: Sample::default() };
    if let Some(options) = by(&["teams", "channels", "special_channels", "messages"]) {
        sampler.teams(options, by(&["messages"])).await?;
    }
    if let Some(options) = by(&["users", "chats", "members_per_chat", "chat_messages"]) {
        sampler.users(options, by(&["chat_messages"])).await?;
    }
    if by(&["groups"]).is_some() {
        sampler.groups().await?;
    }
    Ok(sampler.sample)
}

/// Some of many, evenly spread.
fn spread<T>(things: &[T]) -> impl Iterator<Item = &T> {
    let step = things.len().div_ceil(SAMPLES).max(1);
    things.iter().step_by(step)
}

impl Sampler<'_> {
    fn set(&mut self, name: &str, count: f64) {
        self.sample.counts.insert(name.to_owned(), count);
    }

    fn note(&mut self, text: String) {
        self.sample.notes.push(text);
    }

    fn needs(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.needed.contains(name))
    }

    /// Counts that cannot be known, because what they are taken from is refused.
    fn refused(&mut self, names: &[&str], error: &Error) {
        for name in names.iter().filter(|name| self.needed.contains(**name)) {
            self.sample.unknown.insert((*name).to_owned(), error.to_string());
        }
    }

    /// Whether enough answered to count by. Who refused is taken to be like the others, or nothing is known.
    fn may_count(&mut self, looked: &Looked, names: &[&str], of: &str) -> bool {
        let Some(error) = looked.refused.first() else { return true };
        if looked.answered == 0.0 {
            self.refused(names, error);
            return false;
        }
        let (refused, status) = (looked.refused.len(), error.status().unwrap_or_default());
        let all = looked.answered + refused as f64;
        self.note(format!(
            "{}: {refused} of {all} {of} answer {status} and are taken to be like the others",
            names.first().copied().unwrap_or_default()
        ));
        true
    }

    /// The ids that options name, or those of a list; nothing where it is refused, so that these counts are unknown.
    async fn named_or_listed(
        &mut self,
        named: &[String],
        list: (&'static Endpoint, &str, Option<u32>),
        counts: &[&str],
    ) -> Result<Option<Vec<String>>> {
        if !named.is_empty() {
            return Ok(Some(named.to_vec()));
        }
        let (endpoint, segment, top) = list;
        match self.ids(endpoint, segment, top).await {
            Err(error) if is_refused_or_absent(&error) => {
                self.refused(counts, &error);
                Ok(None)
            }
            ids => ids.map(Some),
        }
    }

    async fn page<T: DeserializeOwned>(&self, request: &Request) -> Result<Page<T>> {
        let read = |body: &[u8]| serde_json::from_slice(body).map_err(Malformed::from);
        Ok(self.client.get(request, read).await?.body)
    }

    /// The ids of a list, of its first pages.
    async fn ids(&mut self, endpoint: &'static Endpoint, segment: &str, top: Option<u32>) -> Result<Vec<String>> {
        let mut request = Request::new(endpoint, &[segment], segment).query("$select", "id");
        if let Some(top) = top {
            request = request.query("$top", top);
        }
        let mut ids = Vec::new();
        for _ in 0..PAGES {
            let page: Page<Thing> = self.page(&request).await?;
            ids.extend(page.value.into_iter().map(|thing| thing.id));
            let Some(next) = page.next else { return Ok(ids) };
            request = request.follow(self.client.link(&next, &request)?);
        }
        self.note(format!("{segment}: more than the {} that {PAGES} pages hold; count them in another way", ids.len()));
        Ok(ids)
    }

    async fn teams(&mut self, options: &TableOptions, messages: Option<&TableOptions>) -> Result<()> {
        let list = (&endpoint::TEAMS, "teams", None);
        let unknown = ["teams", "channels", "messages"];
        let Some(ids) = self.named_or_listed(&options.team_ids, list, &unknown).await? else { return Ok(()) };
        self.set("teams", ids.len() as f64);
        if !self.needs(&["channels", "special_channels", "messages"]) {
            return Ok(());
        }
        let mut channels: Vec<(String, Conversation)> = Vec::new();
        let mut looked = Looked::default();
        for team in spread(&ids) {
            let request = Request::new(&endpoint::CHANNELS, &["teams", team, "channels"], format!("team {team}"))
                .team(team)
                .query("$select", "id,membershipType,createdDateTime");
            match self.page::<Conversation>(&request).await {
                Err(error) if is_refused_or_absent(&error) => looked.refused.push(error),
                page => {
                    channels.extend(page?.value.into_iter().map(|channel| (team.clone(), channel)));
                    looked.answered += 1.0;
                }
            }
        }
        if !self.may_count(&looked, &["channels", "messages"], "teams") {
            return Ok(());
        }
        let share = if looked.answered > 0.0 { ids.len() as f64 / looked.answered } else { 0.0 };
        let is_special = |channel: &Conversation| channel.membership.as_deref().is_some_and(|kind| kind != "standard");
        let special = channels.iter().filter(|(_, channel)| is_special(channel)).count() as f64;
        self.set("channels", (channels.len() as f64 * share).round());
        self.set("special_channels", (special * share).round());
        self.note(format!("channels: those of {} teams, times {share:.1}", looked.answered));
        if let Some(options) = messages {
            self.channel_messages(options, &channels).await?;
        }
        Ok(())
    }

    async fn channel_messages(&mut self, options: &TableOptions, channels: &[(String, Conversation)]) -> Result<()> {
        let named: Vec<_> = match (options.channel_ids.as_slice(), options.team_ids.as_slice()) {
            ([], _) => channels.to_vec(),
            (ids, _) => channels.iter().filter(|(_, channel)| ids.contains(&channel.id)).cloned().collect(),
        };
        let mut found = Messages::default();
        for (team, channel) in spread(&named) {
            let segments = ["teams", team, "channels", &channel.id, "messages"];
            let request =
                Request::new(&endpoint::CHANNEL_MESSAGES, &segments, format!("channel {team}/{}", channel.id))
                    .team(team)
                    .conversation(&channel.id)
                    .query("$top", PAGE)
                    .query("$expand", "replies");
            match self.page::<Message>(&request).await {
                Err(error) if is_refused_or_absent(&error) => found.conversations.refused.push(error),
                page => self.add(&mut found, &page?, channel, options),
            }
        }
        let all = if options.channel_ids.is_empty() { self.sample.counts["channels"] } else { named.len() as f64 };
        self.messages("messages", "channels", &found, all);
        if found.seen_roots > 0.0 {
            self.set("replies_per_message", found.seen_replies / found.seen_roots);
        }
        Ok(())
    }

    /// A conversation that fits on a page is counted; of a longer one the pace of its newest page is taken for all its
    /// life.
    fn add(&self, found: &mut Messages, page: &Page<Message>, of: &Conversation, options: &TableOptions) {
        let roots = page.value.len() as f64;
        found.conversations.answered += 1.0;
        found.seen_roots += roots;
        found.seen_replies += page.value.iter().map(|root| root.replies.len()).sum::<usize>() as f64;
        let is_within = |root: &&Message| options.start_date.is_none_or(|start| root.moved() >= Some(start));
        let within = page.value.iter().filter(is_within).count() as f64;
        let now = self.client.now().unwrap_or_else(Timestamp::now);
        let seconds = |since: Option<Timestamp>| since.map(|since| now.duration_since(since).as_secs_f64().max(1.0));
        let created = of.created.as_deref().and_then(timestamp::known).max(options.start_date);
        let covered = seconds(page.value.iter().filter_map(Message::moved).min());
        let life = seconds(created);
        found.roots += match (page.next.is_some() && within >= roots, covered, life) {
            (true, Some(covered), Some(life)) => {
                found.extrapolated += 1;
                (roots * life / covered).max(roots)
            }
            _ => within,
        };
    }

    fn messages(&mut self, name: &str, of: &str, found: &Messages, all: f64) {
        if !self.may_count(&found.conversations, &[name], of) {
            return;
        }
        let looked = found.conversations.answered;
        let each = if looked > 0.0 { found.roots / looked } else { 0.0 };
        self.set(name, (each * all).round());
        self.note(format!(
            "{name}: the first pages of {looked} of {all} {of}, {each:.0} in each; in {} of them there is more than a page, \
             and the pace of its newest page is taken for all its life",
            found.extrapolated
        ));
    }

    async fn users(&mut self, options: &TableOptions, messages: Option<&TableOptions>) -> Result<()> {
        let list = (&endpoint::USERS, "users", Some(page_sizes::USERS));
        let unknown = ["users", "chats", "chat_messages"];
        let Some(ids) = self.named_or_listed(&options.user_ids, list, &unknown).await? else { return Ok(()) };
        self.set("users", ids.len() as f64);
        if !self.needs(&["chats", "members_per_chat", "chat_messages"]) {
            return Ok(());
        }
        let (mut chats, mut looked, mut distinct) = (Vec::new(), Looked::default(), 0.0);
        for user in spread(&ids) {
            let request = Request::new(&endpoint::USER_CHATS, &["users", user, "chats"], format!("user {user}"))
                .user(user)
                .query("$top", PAGE)
                .query("$expand", "members");
            let page = match self.page::<Conversation>(&request).await {
                Err(error) if is_refused_or_absent(&error) => {
                    looked.refused.push(error);
                    continue;
                }
                page => page?,
            };
            looked.answered += 1.0;
            // A chat is met by each of its members, so it counts for a part of one.
            distinct += page.value.iter().map(|chat| 1.0 / chat.members.len().max(1) as f64).sum::<f64>();
            if page.next.is_some() {
                self.note(format!("chats: user {user} has more than {PAGE}, so there are more than are counted here"));
            }
            chats.extend(page.value);
        }
        if !self.may_count(&looked, &["chats", "chat_messages"], "users") {
            return Ok(());
        }
        let share = if looked.answered > 0.0 { ids.len() as f64 / looked.answered } else { 0.0 };
        self.set("chats", (distinct * share).round());
        if distinct > 0.0 {
            self.set("members_per_chat", chats.len() as f64 / distinct);
        }
        let looked = looked.answered;
        self.note(format!("chats: those of {looked} users, times {share:.1}, each for one of its members"));
        match messages {
            Some(options) => self.chat_messages(options, &chats).await,
            None => Ok(()),
        }
    }

    async fn chat_messages(&mut self, options: &TableOptions, chats: &[Conversation]) -> Result<()> {
        let mut found = Messages::default();
        let is_wanted = |chat: &&Conversation| options.chat_ids.is_empty() || options.chat_ids.contains(&chat.id);
        let chats: Vec<_> = chats.iter().filter(is_wanted).cloned().collect();
        for chat in spread(&chats) {
            let segments = ["chats", &chat.id, "messages"];
            let request = Request::new(&endpoint::CHAT_MESSAGES, &segments, format!("chat {}", chat.id))
                .conversation(&chat.id)
                .query("$top", PAGE)
                .query("$orderby", "lastModifiedDateTime desc");
            match self.page::<Message>(&request).await {
                Err(error) if is_refused_or_absent(&error) => found.conversations.refused.push(error),
                page => self.add(&mut found, &page?, chat, options),
            }
        }
        let named = options.chat_ids.len();
        let all = if named > 0 { named as f64 } else { self.sample.counts["chats"] };
        self.messages("chat_messages", "chats", &found, all);
        Ok(())
    }

    async fn groups(&mut self) -> Result<()> {
        let list = (&endpoint::GROUPS, "groups", Some(page_sizes::GROUPS));
        if let Some(ids) = self.named_or_listed(&[], list, &["groups"]).await? {
            self.set("groups", ids.len() as f64);
        }
        Ok(())
    }
}
