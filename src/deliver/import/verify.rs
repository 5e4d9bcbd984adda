//! Reads every container back and compares it with the ledger: what is missing, what is there that nobody sent, and what is
//! not as it was sent.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::endpoint::Address;
use super::html::canonical;
use super::job::{Job, address_of};
use super::journal::{Entry, Event, State};
use super::ledger::each;
use super::read_back::{author, created_ms};
use super::spool::Spool;
use crate::fetch::list;
use teams_base::error::Result;

const MOST_PAGES: usize = 1_000_000;

/// One thing that is not as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub container: String,
    /// What: `missing`, `extra`, `doubled`, `author`, `time`, `parent`, `body`, `subject`, `image`, `reactions`,
    /// `mentions`, `deleted`.
    pub kind: &'static str,
    pub source_id: Option<String>,
    pub teams_id: Option<String>,
    /// What was expected and what is there. Never a text that people wrote.
    pub detail: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Verified {
    pub differences: Vec<Difference>,
    /// Messages that were read.
    pub read: u64,
    /// Messages that are as they were sent.
    pub equal: u64,
    /// Images whose bytes were compared.
    pub images: u64,
    /// Ids that were found of messages whose answers were lost.
    pub found: u64,
    /// Containers that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Place and hash of what has no id yet, by author and time.
type Waiting = HashMap<(String, i64), (u32, u64)>;

/// What the ledger says of a message.
struct Expected {
    source_id: String,
    author: String,
    at: i64,
    root: Option<String>,
    hash: u64,
    images: Vec<u64>,
    from: u64,
    length: u32,
    seen: bool,
    late: Vec<String>,
}

impl Job {
    pub async fn verify(&self) -> Result<Verified> {
        let mut verified = Verified::default();
        for at in 0..self.plan.containers.len() {
            let Some(address) = address_of(&self.journal.container(at)) else { continue };
            let source = self.plan.containers[at].source.clone();
            match self.verify_container(at, &source, &address, &mut verified).await {
                Ok(()) => {}
                Err(error) if error.ends_run() => return Err(error),
                Err(error) => verified.unreadable.push((source, error.to_string())),
            }
            self.progress.posted(at);
        }
        Ok(verified)
    }

    /// What the ledger expects, by Teams' id, and what waits for its id.
    fn expected(&self, at: usize) -> Result<(HashMap<String, Expected>, Waiting)> {
        let (mut expected, mut waiting) = (HashMap::new(), HashMap::new());
        each(&self.folder, &self.journal, at, |place, item, entry: &Entry| {
            let more = entry.more.as_deref();
            let author = more.and_then(|more| more.author.clone()).unwrap_or_else(|| item.author.clone());
            if item.left.is_some() {
                return Ok(());
            }
            match (entry.state, &entry.id) {
                (State::Posted, Some(id)) => {
                    let root = item.root.and_then(|root| self.journal.post(at, root as usize).id);
                    let known = Expected {
                        source_id: item.source_id.clone(),
                        author,
                        at: entry.at,
                        root: root.map(String::from),
                        hash: entry.hash,
                        images: more.map(|more| more.images.clone()).unwrap_or_default(),
                        from: item.from,
                        length: item.length,
                        seen: false,
                        late: more.map(|more| more.notes.clone()).unwrap_or_default(),
                    };
                    expected.insert(id.to_string(), known);
                }
                (State::Attempting, _) => {
                    waiting.insert((author.to_lowercase(), entry.at), (place as u32, entry.hash));
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok((expected, waiting))
    }

    async fn verify_container(
        &self,
        at: usize,
        source: &str,
        address: &Address,
        verified: &mut Verified,
    ) -> Result<()> {
        let (mut expected, mut waiting) = self.expected(at)?;
        if expected.is_empty() && waiting.is_empty() {
            return Ok(());
        }
        let made = self.journal.container(at).made;
        let mut images = Vec::new();
        let mut more_replies = Vec::new();
        let mut keys: HashMap<(String, i64), String> =
            expected.iter().map(|(id, known)| ((known.author.to_lowercase(), known.at), id.clone())).collect();
        let mut found = Vec::new();
        {
            let mut compare =
                Compare { job: self, at, source, made, verified, expected: &mut expected, keys: &mut keys };
            let mut take = |message: &Value, root: Option<&str>| {
                let key = (author(message).to_lowercase(), created_ms(message).unwrap_or_default());
                match (waiting.remove(&key), message["id"].as_str()) {
                    (Some((place, hash)), Some(id)) => found.push((place, key.1, id.to_owned(), hash, message.clone())),
                    _ => compare.message(message, root, &mut images),
                }
            };
            let request = match address {
                Address::Channel { .. } => address.messages().query("$expand", "replies"),
                Address::Chat { .. } => address.messages(),
            };
            list(&self.client, request, MOST_PAGES, |message| {
                take(message, None);
                let id = message["id"].as_str().unwrap_or_default();
                let replies = message["replies"].as_array();
                if message.get("replies@odata.nextLink").is_some()
                    || replies.is_some_and(|list| list.len() >= REPLIES_SHOWN)
                {
                    more_replies.push(id.to_owned());
                } else {
                    replies.into_iter().flatten().for_each(|reply| take(reply, Some(id)));
                }
                false
            })
            .await?;
            for root in &more_replies {
                list(&self.client, address.replies(root), MOST_PAGES, |reply| {
                    take(reply, Some(root));
                    false
                })
                .await?;
            }
        }
        for (place, t, id, h, message) in found {
            verified.found += 1;
            verified.read += 1;
            let hash = if h == 0 { body_hash(&message) } else { h };
            let more = self.journal.post(at, place as usize).more.map(|more| *more).unwrap_or_default();
            let (c, g, u, n) = (at as u32, more.images, more.author, more.notes);
            self.journal.note(&Event::Posted { c, i: place, t, id, h: hash, g, u, n })?;
        }
        for (id, known) in expected.iter().filter(|(_, known)| !known.seen) {
            let what = if known.root.is_some() { "a reply" } else { "a message" };
            verified.differences.push(Difference {
                container: source.to_owned(),
                kind: "missing",
                source_id: Some(known.source_id.clone()),
                teams_id: Some(id.clone()),
                detail: format!("{what} that was posted is not there"),
            });
        }
        for (id, image, hash) in images {
            let request = address.image(&id, &image);
            let bytes = self.client.get(&request, |body| Ok(xxh3_64(body))).await?.body;
            verified.images += 1;
            if bytes != hash {
                let known = expected.get(&id);
                verified.differences.push(Difference {
                    container: source.to_owned(),
                    kind: "image",
                    source_id: known.map(|known| known.source_id.clone()),
                    teams_id: Some(id),
                    detail: "the bytes of an image are others than those that were sent".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Replies that come with their root; there may be more.
const REPLIES_SHOWN: usize = 200;

fn body_hash(message: &Value) -> u64 {
    xxh3_64(canonical(message["body"]["content"].as_str().unwrap_or_default()).as_bytes())
}

struct Compare<'a> {
    job: &'a Job,
    at: usize,
    source: &'a str,
    made: bool,
    verified: &'a mut Verified,
    expected: &'a mut HashMap<String, Expected>,
    keys: &'a mut HashMap<(String, i64), String>,
}

impl Compare<'_> {
    fn tell(&mut self, kind: &'static str, source_id: Option<&str>, id: &str, detail: String) {
        self.verified.differences.push(Difference {
            container: self.source.to_owned(),
            kind,
            source_id: source_id.map(str::to_owned),
            teams_id: Some(id.to_owned()),
            detail,
        });
    }

    /// Compares one message that was read. Images whose bytes are to be compared are added to `images`: the message's id,
    /// the image's, and the hash of what was sent.
    fn message(&mut self, message: &Value, root: Option<&str>, images: &mut Vec<(String, String, u64)>) {
        let id = message["id"].as_str().unwrap_or_default();
        if message["messageType"].as_str().is_some_and(|kind| kind != "message") {
            return;
        }
        let Some(mut known) = self.expected.remove(id) else {
            self.stranger(message, id);
            return;
        };
        self.verified.read += 1;
        known.seen = true;
        let before = self.verified.differences.len();
        let source = Some(known.source_id.as_str());
        if message["deletedDateTime"].is_null() {
            self.body(message, id, &known, images);
        } else {
            let when = message["deletedDateTime"].as_str().unwrap_or_default();
            self.tell("deleted", source, id, format!("it was deleted at {when}"));
        }
        if !author(message).eq_ignore_ascii_case(&known.author) {
            self.tell("author", source, id, format!("{} wrote it, not {}", author(message), known.author));
        }
        let created = created_ms(message);
        if created != Some(known.at) {
            let shown = message["createdDateTime"].as_str().unwrap_or("no time");
            self.tell("time", source, id, format!("{shown}, not {}", super::compose::iso(known.at)));
        }
        let parent = root.or(message["replyToId"].as_str()).filter(|parent| *parent != id);
        if parent != known.root.as_deref() {
            let word = |parent: Option<&str>| parent.map_or("no reply".to_owned(), |id| format!("a reply to {id}"));
            self.tell("parent", source, id, format!("{}, not {}", word(parent), word(known.root.as_deref())));
        }
        if self.verified.differences.len() == before {
            self.verified.equal += 1;
        }
        self.expected.insert(id.to_owned(), known);
    }

    fn body(&mut self, message: &Value, id: &str, known: &Expected, images: &mut Vec<(String, String, u64)>) {
        let source = Some(known.source_id.as_str());
        let content = message["body"]["content"].as_str().unwrap_or_default();
        if body_hash(message) != known.hash {
            self.tell("body", source, id, "the text is another one than was sent".to_owned());
        }
        let shown = super::html::hosted_ids(content);
        if shown.len() == known.images.len() {
            let pairs = shown.iter().zip(&known.images);
            images.extend(pairs.map(|(image, hash)| (id.to_owned(), (*image).to_owned(), *hash)));
        } else {
            let detail = format!("{} images are shown, and {} were sent", shown.len(), known.images.len());
            self.tell("image", source, id, detail);
        }
        let Some(sent) = self.sent(known) else { return };
        if sent["subject"].as_str().unwrap_or_default() != message["subject"].as_str().unwrap_or_default() {
            self.tell("subject", source, id, "the subject is another one than was sent".to_owned());
        }
        let count = |body: &Value, name: &str| body[name].as_array().map_or(0, Vec::len);
        for name in ["mentions", "reactions"] {
            let is_changed = known.late.iter().any(|note| note.contains(name.trim_end_matches('s')));
            if count(&sent, name) != count(message, name) && !is_changed {
                let detail = format!("{} are shown, and {} were sent", count(message, name), count(&sent, name));
                self.tell(if name == "mentions" { "mentions" } else { "reactions" }, source, id, detail);
            }
        }
    }

    /// The request as it was staged.
    fn sent(&self, known: &Expected) -> Option<Value> {
        let item = super::spool::Item { from: known.from, length: known.length, ..super::spool::Item::default() };
        let text = Spool::of(&self.job.folder, self.at).bodies().ok()?.read(&item).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// A message that the ledger does not know.
    fn stranger(&mut self, message: &Value, id: &str) {
        let key = (author(message).to_lowercase(), created_ms(message).unwrap_or_default());
        if let Some(twin) = self.keys.get(&key).filter(|twin| *twin != id).cloned() {
            let source = self.expected.get(&twin).map(|known| known.source_id.clone());
            self.tell("doubled", source.as_deref(), id, format!("it stands there beside {twin}, with the same time"));
        } else if self.made {
            // In a container that existed before, others may have written.
            self.tell("extra", None, id, "nobody sent it".to_owned());
        }
    }
}
