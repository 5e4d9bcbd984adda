//! From the source's batches to the posts on disk, container after container. With no folder nothing is written, and the
//! same is counted.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::clock::{Row, turns};
use super::compose::{Composed, Left, Post, compose};
use super::plan::Plan;
use super::source::{Message, Rows};
use super::spool::{Item, LeftOut, Spool};
use teams_base::error::{Error, Result};

/// What the posts of a container are, before any is sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the source.
    pub messages: u64,
    pub posts: u64,
    pub replies: u64,
    pub images: u64,
    pub skipped: u64,
    pub refused: u64,
    /// What is changed, and how often.
    pub notes: BTreeMap<String, u64>,
    /// Why messages are left out, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// Authors without an account: their id in the source, and their name.
    pub unmapped: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Bytes of bodies.
    pub bytes: u64,
}

pub struct Stage {
    plan: Plan,
    by_source: HashMap<String, usize>,
    folder: Option<PathBuf>,
    now_us: i64,
    current: Option<Current>,
    counts: Vec<Counts>,
}

/// The container that is being read.
struct Current {
    at: usize,
    is_chat: bool,
    rows: Vec<Row>,
    /// The items of each row, still without their time.
    items: Vec<Vec<Item>>,
    by_source: HashMap<Box<str>, u32>,
    parents: Vec<Option<Box<str>>>,
    bodies: Option<BufWriter<File>>,
    written: u64,
}

fn failed(what: &str) -> impl Fn(std::io::Error) -> Error {
    let what = what.to_owned();
    move |error| Error::Configuration(format!("{what} cannot be written: {error}"))
}

impl Stage {
    /// `now_us`: microseconds since 1970.
    pub fn new(plan: Plan, folder: Option<&Path>, now_us: i64) -> Result<Self> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(failed(&folder.display().to_string()))?;
        }
        let by_source =
            plan.containers.iter().enumerate().map(|(at, container)| (container.source.clone(), at)).collect();
        let counts = vec![Counts::default(); plan.containers.len()];
        Ok(Self { plan, by_source, folder: folder.map(Path::to_owned), now_us, current: None, counts })
    }

    /// Takes a batch; those of one container follow each other.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = Rows::of(batch)?;
        if rows.len() == 0 {
            return Ok(());
        }
        let container = rows.container()?;
        let Some(&at) = self.by_source.get(container) else {
            return Err(Error::Configuration(format!(
                "The source has messages of {container:?}, which is no container of its"
            )));
        };
        if self.current.as_ref().is_none_or(|current| current.at != at) {
            self.end_container()?;
            if self.counts[at].messages > 0 {
                let text = format!("The source gives the messages of {container:?} in several places");
                return Err(Error::Configuration(text));
            }
            let bodies = match &self.folder {
                Some(folder) => {
                    Some(Spool::of(folder, at).write_bodies().map_err(failed(&folder.display().to_string()))?)
                }
                None => None,
            };
            self.current = Some(Current::new(at, self.plan.containers[at].kind.is_chat(), bodies));
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        for row in 0..rows.len() {
            current
                .add(&self.plan, &rows.message(row), self.now_us, &mut self.counts[at])
                .map_err(failed("The posts"))?;
        }
        Ok(())
    }

    fn end_container(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let counts = &mut self.counts[current.at];
        let at = current.at;
        let items = current.in_order(counts)?;
        if let Some(folder) = &self.folder {
            Spool::of(folder, at).write_items(items).map_err(failed(&folder.display().to_string()))?;
        } else {
            items.for_each(drop);
        }
        Ok(())
    }

    /// What was counted, by container of the plan.
    pub fn finish(mut self) -> Result<Vec<Counts>> {
        self.end_container()?;
        Ok(self.counts)
    }
}

impl Current {
    fn new(at: usize, is_chat: bool, bodies: Option<BufWriter<File>>) -> Self {
        Self {
            at,
            is_chat,
            rows: Vec::new(),
            items: Vec::new(),
            by_source: HashMap::new(),
            parents: Vec::new(),
            bodies,
            written: 0,
        }
    }

    fn add(&mut self, plan: &Plan, message: &Message<'_>, now_us: i64, counts: &mut Counts) -> std::io::Result<()> {
        let container = &plan.containers[self.at];
        counts.messages += 1;
        let row = self.rows.len() as u32;
        let doubled = self.by_source.contains_key(message.source_id);
        let composed = match &container.refused {
            Some(refused) => Err((refused.skipped, refused.code.clone(), refused.reason.clone())),
            None if doubled => Err((true, "doubled".to_owned(), "the source has it twice".to_owned())),
            None => compose(plan, message, self.is_chat, now_us)
                .map_err(|Left { skipped, code, reason }| (skipped, code.to_owned(), reason)),
        };
        let base = Item {
            source_id: message.source_id.to_owned(),
            source_parent: message.parent.map(str::to_owned),
            ..Item::default()
        };
        if let Some(author) = message.author.filter(|_| message.skip.is_none())
            && plan.people.get(author).is_none_or(|person| person.id.is_none())
        {
            let known = plan.people.get(author).map(|person| person.name.as_str());
            let name = message.author_name.or(known).unwrap_or(author);
            counts.unmapped.entry(author.to_owned()).or_insert_with(|| name.to_owned());
        }
        let items = match composed {
            Ok(composed) => self.keep(base, composed, counts)?,
            Err((skipped, code, reason)) => {
                *(if skipped { &mut counts.skipped } else { &mut counts.refused }) += 1;
                *counts.reasons.entry(reason.clone()).or_default() += 1;
                vec![Item { left: Some(LeftOut { skipped, code, reason }), ..base }]
            }
        };
        self.rows.push(Row { at_us: message.created_us, root: None, parts: items.len() as u32 });
        self.items.push(items);
        self.parents.push(message.parent.filter(|parent| *parent != message.source_id).map(Box::from));
        if !doubled {
            self.by_source.insert(Box::from(message.source_id), row);
        }
        Ok(())
    }

    fn keep(&mut self, base: Item, composed: Composed, counts: &mut Counts) -> std::io::Result<Vec<Item>> {
        let mut items = Vec::with_capacity(composed.posts.len());
        for (part, Post { body, images, author }) in composed.posts.into_iter().enumerate() {
            counts.posts += 1;
            counts.images += images.len() as u64;
            counts.bytes += body.len() as u64;
            if let Some(file) = &mut self.bodies {
                file.write_all(body.as_bytes())?;
            }
            let notes = if part == 0 { composed.notes.clone() } else { Vec::new() };
            for note in &notes {
                *counts.notes.entry(note.clone()).or_default() += 1;
            }
            let (part, from, length) = (part as u32, self.written, body.len() as u32);
            items.push(Item { author, part, from, length, images, notes, ..base.clone() });
            self.written += u64::from(length);
        }
        Ok(items)
    }

    /// The items in the order in which they are sent, with their times and roots.
    fn in_order(mut self, counts: &mut Counts) -> Result<impl Iterator<Item = Item> + use<>> {
        if let Some(mut file) = self.bodies.take() {
            file.flush().map_err(failed("The posts"))?;
            file.get_ref().sync_data().map_err(failed("The posts"))?;
        }
        self.resolve_parents();
        let turns = turns(&self.rows);
        let mut place_of = vec![0_u32; self.rows.len()];
        let mut place = 0;
        for turn in &turns {
            let row = turn.row as usize;
            place_of[row] = place;
            place += self.rows[row].parts;
            let is_moved = turn.at_ms != self.rows[row].at_us.div_euclid(1_000);
            let first = &mut self.items[row][0];
            if is_moved && first.left.is_none() {
                first.notes.push(MOVED.to_owned());
            }
            counts.replies += u64::from(self.rows[row].root.is_some() && first.left.is_none());
            for note in first.notes.iter().filter(|note| [MOVED, ALONE, NO_THREAD].contains(&note.as_str())) {
                *counts.notes.entry(note.clone()).or_default() += 1;
            }
        }
        // What is older than 1970 is refused, and its container does not begin with it.
        counts.first = turns.iter().map(|turn| turn.at_ms).find(|at| *at > 0);
        counts.last = turns.last().map(|turn| turn.at_ms);
        let mut items = std::mem::take(&mut self.items);
        Ok(turns.into_iter().flat_map(move |turn| {
            let row = turn.row as usize;
            let root = self.rows[row].root.map(|root| place_of[root as usize]);
            let (own, is_chat) = (place_of[row], self.is_chat);
            std::mem::take(&mut items[row]).into_iter().enumerate().map(move |(part, mut item)| {
                item.at = turn.at_ms + part as i64;
                // Further parts of a root are its replies; in a chat nothing is a reply.
                item.root = if is_chat { None } else { root.or((part > 0).then_some(own)) };
                item
            })
        }))
    }

    /// Finds the root of each reply.
    fn resolve_parents(&mut self) {
        for row in 0..self.rows.len() {
            let Some(parent) = &self.parents[row] else { continue };
            let mut root = self.by_source.get(parent).copied();
            // A reply to a reply belongs to the first message of its thread.
            for _ in 0..DEEPEST {
                let next = root.and_then(|at| self.parents[at as usize].as_ref()).and_then(|up| self.by_source.get(up));
                match next.copied() {
                    Some(next) if next as usize != row => root = Some(next),
                    _ => break,
                }
            }
            let sent = root.filter(|at| *at as usize != row && self.items[*at as usize][0].left.is_none());
            let own = &mut self.items[row][0];
            if own.left.is_some() {
                continue;
            }
            match sent {
                _ if self.is_chat => own.notes.push(NO_THREAD.to_owned()),
                Some(root) => self.rows[row].root = Some(root),
                None => own.notes.push(ALONE.to_owned()),
            }
        }
    }
}

const MOVED: &str = "time moved, to be the only message of its millisecond";
const ALONE: &str = "its thread's first message is missing, so it stands alone";
const NO_THREAD: &str = "reply in a chat, which has no threads";
/// How many replies to replies are followed to the first message of their thread.
const DEEPEST: usize = 64;
