//! Works through scopes in sorted order, several at once, until they are done or the micro-batch is full.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::caps::Caps;
use crate::state::offset::MAX_OPEN;
use crate::state::window::{self, Window};
use crate::state::work_item::{Stage, WorkItem};
use teams_base::error::{Error, Result};

/// Scopes read at once. A channel answers once a second, so that many of them are needed to reach the limit of an app
/// (20 requests per second); more than [`MAX_OPEN`] could not be kept in an offset.
const CONCURRENCY: usize = 24;

/// However small the caps are, an item that outlasts them ([`WorkItem::outlasts_caps`]) is read on up to here.
const ROWS_BEYOND_CAPS: usize = 200_000;

/// What a half-read scope takes in an offset beside its link: its names, its times, and quotes that are escaped twice.
const BYTES_BESIDE_LINK: usize = 400;

/// What one step of an item led to.
#[derive(Debug)]
pub enum Step {
    /// There is more of this item.
    More,
    Done,
    /// The item goes on as these, in this order.
    Split(Vec<WorkItem>),
    /// The scope can't be read and was reported; a later round tries it anew.
    Skipped,
}

pub trait Reader: Sync {
    /// Takes one step: usually one page, with everything that belongs to it.
    fn step<'a>(&'a self, item: &'a mut WorkItem) -> BoxFuture<'a, Result<Step>>;

    /// Every item of a scope has been read, `last` the last of them; the scope may go on with another.
    fn finished(&self, last: &WorkItem) -> Option<WorkItem>;

    /// The item failed for good: what it needs to lose nothing is noted, and the round goes on without it. What is returned
    /// the next round goes on from.
    fn failed(&self, item: &WorkItem) -> Option<WorkItem>;

    /// The scope was left out and reported: it is to be read whole when it comes back.
    fn skipped(&self, last: &WorkItem);
}

/// Where the work stands when the engine stops.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Half-read items, among them those that met an error that ends the run.
    pub open: Vec<WorkItem>,
    /// What failed and is gone on from by the next round.
    pub stood: Vec<WorkItem>,
    /// Scopes that count as not started, though their children may have been listed.
    pub fresh: Vec<WorkItem>,
    /// The last scope started.
    pub after: Option<String>,
    /// Some scopes have not been started.
    pub left: bool,
    /// The first failure, or the first that ends the run.
    pub failure: Option<Error>,
}

/// Runs open items first, then `scopes`, which are sorted and come after `after`. What is half-read at any time should
/// fit into `room` bytes of an offset.
pub async fn run(
    reader: &dyn Reader,
    open: Vec<WorkItem>,
    scopes: Vec<String>,
    after: Option<String>,
    caps: &Caps,
    room: usize,
    rows: impl Fn() -> usize,
) -> Outcome {
    let mut work = Work::new(open, scopes, after, room);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < CONCURRENCY && work.has_room(running.len()) && !work.is_fatal() {
            let rows = rows();
            let next = if caps.have_room(rows, running.len()) {
                work.next(running.len())
            } else if caps.are_reached(rows) && rows < ROWS_BEYOND_CAPS {
                work.next_beyond_caps()
            } else {
                None
            };
            let Some((order, item)) = next else { break };
            running.push(step(reader, order, item));
        }
        let Some((order, item, result)) = running.next().await else { break };
        work.apply(reader, order, item, result);
    }
    work.into_outcome()
}

/// Items are taken in the order in which their scopes were started, so that few scopes are half-read at any time.
type Order = (usize, usize);

async fn step(reader: &dyn Reader, order: Order, mut item: WorkItem) -> (Order, WorkItem, Result<Step>) {
    let result = reader.step(&mut item).await;
    (order, item, result)
}

struct Work {
    queue: BTreeMap<Order, WorkItem>,
    scopes: VecDeque<String>,
    /// `after` as it came, then every scope started.
    started: Vec<Option<String>>,
    /// Distinguishes items of one scope.
    counter: usize,
    /// Items that met an error that ends the run.
    ended: Vec<WorkItem>,
    stood: Vec<WorkItem>,
    failure: Option<Error>,
    /// Unfinished items per scope.
    alive: HashMap<String, usize>,
    skipped: BTreeSet<String>,
    /// Scopes of which an item failed.
    failed: BTreeSet<String>,
    /// Bytes that an offset has for half-read scopes, and those of the longest link met.
    room: usize,
    longest_link: usize,
}

impl Work {
    fn new(open: Vec<WorkItem>, scopes: Vec<String>, after: Option<String>, room: usize) -> Self {
        let mut work = Self {
            queue: BTreeMap::new(),
            scopes: scopes.into(),
            started: vec![after],
            counter: 0,
            ended: Vec::new(),
            stood: Vec::new(),
            failure: None,
            alive: HashMap::new(),
            skipped: BTreeSet::new(),
            failed: BTreeSet::new(),
            room,
            longest_link: 0,
        };
        for item in open {
            work.push(0, item);
        }
        work
    }

    fn push(&mut self, start: usize, item: WorkItem) {
        self.measure(&item);
        *self.alive.entry(item.scope.clone()).or_default() += 1;
        self.counter += 1;
        self.queue.insert((start, self.counter), item);
    }

    /// The next item; a new scope is started only while all that is half-read fits into an offset.
    fn next(&mut self, running: usize) -> Option<(Order, WorkItem)> {
        if self.queue.is_empty() && self.has_room(running) {
            let scope = self.scopes.pop_front()?;
            self.started.push(Some(scope.clone()));
            self.push(self.started.len(), WorkItem::parent(scope));
        }
        self.queue.pop_first()
    }

    /// All that runs may be half-read at a pause, and has to fit into an offset.
    fn has_room(&self, running: usize) -> bool {
        let most = self.room / (self.longest_link + BYTES_BESIDE_LINK);
        running + self.ended.len() < MAX_OPEN && (running < most || running == 0)
    }

    fn measure(&mut self, item: &WorkItem) {
        let length = item.link.as_ref().map_or(0, |link| link.as_str().len());
        self.longest_link = self.longest_link.max(length);
    }

    fn next_beyond_caps(&mut self) -> Option<(Order, WorkItem)> {
        let order = *self.queue.iter().find(|(_, item)| item.outlasts_caps())?.0;
        self.queue.remove_entry(&order)
    }

    fn apply(&mut self, reader: &dyn Reader, order: Order, item: WorkItem, result: Result<Step>) {
        match result {
            Ok(Step::More) => {
                self.measure(&item);
                self.queue.insert(order, item);
            }
            Ok(Step::Done) => self.close(reader, order, &item),
            Ok(Step::Skipped) => {
                self.skipped.insert(item.scope.clone());
                self.close(reader, order, &item);
            }
            Ok(Step::Split(parts)) => {
                for part in parts {
                    self.push(order.0, part);
                }
                self.close(reader, order, &item);
            }
            Err(error) => self.fail(reader, order, item, error),
        }
    }

    fn fail(&mut self, reader: &dyn Reader, order: Order, item: WorkItem, error: Error) {
        log::warn!("{}: {error}", item.scope);
        if error.ends_run() {
            self.ended.push(item);
        } else {
            self.stood.extend(reader.failed(&item));
            self.failed.insert(item.scope.clone());
            self.close(reader, order, &item);
        }
        if self.failure.as_ref().is_none_or(|first| !first.ends_run() && error.ends_run()) {
            self.failure = Some(error);
        }
    }

    fn close(&mut self, reader: &dyn Reader, order: Order, item: &WorkItem) {
        let Some(alive) = self.alive.get_mut(&item.scope) else { return };
        *alive -= 1;
        if *alive > 0 {
            return;
        }
        self.alive.remove(&item.scope);
        let has_failed = self.failed.remove(&item.scope);
        if self.skipped.remove(&item.scope) {
            reader.skipped(item);
        } else if !has_failed && let Some(next) = reader.finished(item) {
            self.push(order.0, next);
        }
    }

    fn is_fatal(&self) -> bool {
        self.failure.as_ref().is_some_and(Error::ends_run)
    }

    fn into_outcome(mut self) -> Outcome {
        let mut open = compact(self.ended, self.queue.into_values().collect());
        let mut left = !self.scopes.is_empty();
        let mut fresh = Vec::new();
        // Scopes that were started last and not read at all count as not started.
        while let [_, .., Some(last)] = self.started.as_slice() {
            let Some(at) = open.iter().position(|item| item.scope == *last && item.is_fresh()) else { break };
            fresh.push(open.remove(at));
            self.started.pop();
            left = true;
        }
        let after = self.started.pop().flatten();
        Outcome { open, stood: self.stood, fresh, after, left, failure: self.failure }
    }
}

/// Folds what has not been started: windows that touch into one, and children back into their parents.
fn compact(ended: Vec<WorkItem>, queue: Vec<WorkItem>) -> Vec<WorkItem> {
    let mut open = ended;
    let mut children = Vec::new();
    let mut windows: BTreeMap<String, (WorkItem, Vec<Window>)> = BTreeMap::new();
    for item in queue {
        match item.stage {
            // A window that is read again remembers how often.
            Stage::Export(window) if item.link.is_none() && item.tries.window_reads == 0 => {
                let (children, history_until) = (item.children.clone(), item.history_until);
                let parent = || WorkItem { children, history_until, ..WorkItem::parent(&item.scope) };
                windows.entry(item.scope.clone()).or_insert_with(|| (parent(), Vec::new())).1.push(window);
            }
            Stage::Child if item.link.is_none() => children.push(item),
            _ => open.push(item),
        }
    }
    for child in children {
        let (parent, _) = child.ids();
        match open.iter_mut().find(|item| item.stage == Stage::Parent && item.scope == parent) {
            Some(parent) => parent.after_child = parent.after_child.take().min(child.after_child),
            None => open.push(child),
        }
    }
    for (parent, list) in windows.into_values() {
        let part = |window| WorkItem { children: parent.children.clone(), ..parent.window(window) };
        open.extend(window::join(list).into_iter().map(part));
    }
    open
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::caps::Limits;

    /// Scopes of three pages each; `bad` fails, `gone` is skipped.
    #[derive(Default)]
    struct Fake {
        log: Mutex<Vec<String>>,
        caps: Caps,
    }

    impl Reader for Fake {
        fn step<'a>(&'a self, item: &'a mut WorkItem) -> BoxFuture<'a, Result<Step>> {
            Box::pin(async move {
                self.caps.count_page();
                if item.scope == "bad" {
                    return Err(Error::Service(Box::default()));
                }
                if item.scope == "gone" {
                    return Ok(Step::Skipped);
                }
                item.rows += 1;
                Ok(if item.rows == 3 { Step::Done } else { Step::More })
            })
        }

        fn finished(&self, last: &WorkItem) -> Option<WorkItem> {
            self.log.lock().push(last.scope.clone());
            None
        }

        fn failed(&self, item: &WorkItem) -> Option<WorkItem> {
            self.log.lock().push(format!("!{}", item.scope));
            None
        }

        fn skipped(&self, last: &WorkItem) {
            self.log.lock().push(format!("-{}", last.scope));
        }
    }

    fn scopes(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_failed_scope_does_not_stop_the_others_and_takes_no_place() {
        let fake = Fake::default();
        let outcome = run(&fake, vec![], scopes(&["a", "bad", "b", "gone"]), None, &fake.caps, usize::MAX, || 0).await;
        let mut log = fake.log.lock().clone();
        log.sort();
        assert_eq!(log, ["!bad", "-gone", "a", "b"]);
        assert!(outcome.open.is_empty() && outcome.failure.is_some() && !outcome.left);
    }

    #[tokio::test]
    async fn caps_pause_and_nothing_is_forgotten() {
        let names: Vec<String> = (0..40).map(|n| format!("{n:02}")).collect();
        let fake = Fake { caps: Caps::new(Limits { max_pages: Some(10), max_rows: None }), ..Fake::default() };
        let outcome = run(&fake, vec![], names.clone(), None, &fake.caps, usize::MAX, || 0).await;
        assert!(outcome.left && outcome.open.len() <= MAX_OPEN);
        let started = outcome.after.unwrap();
        let done = fake.log.lock().clone();
        for name in names.iter().filter(|name| **name <= started) {
            let is_open = outcome.open.iter().any(|item| item.scope == *name);
            assert!(is_open || done.contains(name), "{name}");
        }
    }

    #[test]
    fn children_that_were_not_started_fold_into_their_parent() {
        let parent = WorkItem { after_child: Some("c".into()), ..WorkItem::parent("t") };
        let child = |id: &str, before: &str| WorkItem { after_child: Some(before.into()), ..parent.child(id) };
        let open = compact(vec![], vec![child("c", "b"), parent.clone(), child("b", "a")]);
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].after_child.as_deref(), Some("a"));
    }

    #[test]
    fn windows_that_were_not_started_fold_into_one() {
        let at = |hour: u32| format!("2026-01-01T{hour:02}:00:00Z").parse().unwrap();
        let parent = WorkItem::parent("t");
        let items = (0..10).map(|n| parent.window(Window::new(Some(at(n)), at(n + 1)))).collect();
        let open = compact(vec![], items);
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].stage, Stage::Export(Window::new(Some(at(0)), at(10))));
    }
}
