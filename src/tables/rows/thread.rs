//! Rows of a channel's list: each item is a root, with its replies inside. A thread is taken whole or not at all.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::context::Context;
use super::filter::Filter;
use super::head::Head;
use super::page_rows::{Mark, Rows};
use super::raw::raw_item;
use super::row::{Nested, NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::json::{Json, Read};

/// A thread of which not all replies came with its root.
#[derive(Debug, PartialEq, Eq)]
pub struct Continuation {
    pub root: String,
    /// Where the replies go on; `None` where they have to be listed from their beginning.
    pub link: Option<String>,
}

/// How many replies `$expand` gives at most, today and before October 2024
/// (<https://learn.microsoft.com/graph/api/channel-list-messages>). A thread of just as many may have been cut there.
const EXPANDED_AT_MOST: [usize; 2] = [200, 1000];

/// Threads into two tables.
///
/// If the root or any reply is as new as `bound`, the root and every reply are taken: a thread that moves to the top of
/// the list while the list is being paged would otherwise lose its older rows for good.
pub struct ThreadRows<'a, 'f> {
    pub roots: &'a mut TableBuilder,
    pub replies: &'a mut TableBuilder,
    pub wants_roots: bool,
    pub wants_replies: bool,
    pub team: &'a str,
    pub channel: &'a str,
    pub bound: Option<Timestamp>,
    pub filter: &'a mut Filter<'f>,
    outcome: ThreadOutcome,
}

#[derive(Debug, Default)]
pub struct ThreadOutcome {
    /// A thread older than the bound was met: the list is newest thread first, so the rest is older still.
    pub reached_bound: bool,
    pub continuations: Vec<Continuation>,
    /// The roots of a page of which none has the `replies` that were asked for, because the server ignores `$expand`.
    /// Empty where replies are not needed.
    pub bare_roots: Vec<Box<RawValue>>,
    is_expanded: bool,
}

impl<'a, 'f> ThreadRows<'a, 'f> {
    pub fn new(
        roots: &'a mut TableBuilder,
        replies: &'a mut TableBuilder,
        wants: (bool, bool),
        team: &'a str,
        channel: &'a str,
        bound: Option<Timestamp>,
        filter: &'a mut Filter<'f>,
    ) -> Self {
        let (wants_roots, wants_replies) = wants;
        Self {
            roots,
            replies,
            wants_roots,
            wants_replies,
            team,
            channel,
            bound,
            filter,
            outcome: ThreadOutcome::default(),
        }
    }

    pub fn into_outcome(self) -> ThreadOutcome {
        self.outcome
    }

    fn start(&self) -> Start {
        Start { rows: self.mark(), noted: self.filter.mark() }
    }

    fn take_back(&mut self, start: &Start) {
        self.truncate(start.rows);
        self.filter.take_back(start.noted);
    }

    /// Splits into the root's builder and what reads its replies.
    fn parts(&mut self) -> (&mut TableBuilder, Replies<'_, 'f>) {
        let replies = Replies {
            builder: self.replies,
            wanted: self.wants_replies,
            decide: self.bound.is_some(),
            context: Context { team: Some(self.team), channel: Some(self.channel), ..Context::default() },
            filter: &mut *self.filter,
            thread: Thread::default(),
        };
        (self.roots, replies)
    }

    /// Keeps the text of a root as long as no root of the page has its replies: a server that ignores `$expand` shows itself
    /// only at the end of the page.
    fn note_expansion(&mut self, thread: &Thread, text: &str, json: &mut Json<'_>) -> Read<()> {
        if thread.expanded {
            self.outcome.is_expanded = true;
            self.outcome.bare_roots = Vec::new();
        } else if !self.outcome.is_expanded && (self.wants_replies || self.bound.is_some()) {
            self.outcome.bare_roots.push(raw_item(text, json)?);
        }
        Ok(())
    }

    fn end(&mut self, start: &Start, head: &Head<'_>, thread: Thread, text: &str) {
        let newest = thread.newest.max(head.modified);
        let is_dated = head.modified.is_some() && !thread.undated;
        let is_certain = !head.is_substitute && !thread.substitutes;
        let is_old = is_dated && self.bound.is_some_and(|bound| newest.is_some_and(|newest| newest < bound));
        if is_old {
            // Of a thread that goes on behind a link only the newest replies are here: an older one may have been edited,
            // so that the threads behind it may be newer than the bound. Nor does a thread say anything of them that has a
            // message which does not tell when it was changed.
            self.outcome.reached_bound |= is_certain && !thread.goes_on();
            self.take_back(start);
            return;
        }
        if self.wants_replies && thread.goes_on() && !head.id().is_empty() {
            if thread.link.is_none() {
                // They come again with the list.
                self.replies.truncate(start.rows.1);
                self.filter.take_back(start.noted);
            }
            self.outcome.continuations.push(Continuation { root: head.id().to_owned(), link: thread.link });
        }
        if self.wants_roots && self.filter.keep(head, Some(self.channel), "") {
            let raw = self.roots.wants_raw().then_some(text);
            let context = Context { team: Some(self.team), channel: Some(self.channel), raw, ..Context::default() };
            self.roots.end_row(head.cursor(), &context);
        } else {
            self.roots.truncate(start.rows.0);
        }
    }
}

/// Where a thread started, to take it back whole.
struct Start {
    rows: Mark,
    noted: usize,
}

/// What a root's replies say of the thread.
#[derive(Default)]
struct Thread {
    newest: Option<Timestamp>,
    /// Some reply has no readable time, so the thread can't be called old.
    undated: bool,
    /// Some reply tells only when it was created.
    substitutes: bool,
    expanded: bool,
    /// How many replies came, and how many there are where the server tells.
    replies: usize,
    count: usize,
    link: Option<String>,
}

impl Thread {
    fn see(&mut self, head: &Head<'_>) {
        self.newest = self.newest.max(head.modified);
        self.undated |= head.modified.is_none();
        self.substitutes |= head.is_substitute;
    }

    /// Whether there are, or may be, more replies than came with the root.
    fn goes_on(&self) -> bool {
        self.link.is_some() || self.count > self.replies || EXPANDED_AT_MOST.contains(&self.replies)
    }
}

struct Replies<'r, 'f> {
    builder: &'r mut TableBuilder,
    wanted: bool,
    /// Whether they decide if the thread is taken.
    decide: bool,
    context: Context<'r>,
    filter: &'r mut Filter<'f>,
    thread: Thread,
}

impl Nested for Replies<'_, '_> {
    fn replies(&mut self, root: &Head<'_>, json: &mut Json<'_>) -> Read<()> {
        if json.peek()? != b'[' {
            return json.skip();
        }
        self.thread.expanded = true;
        if !self.wanted && !self.decide {
            return json.skip();
        }
        json.array(|json| {
            self.thread.replies += 1;
            self.reply(root.id(), json)
        })
    }

    fn replies_link(&mut self, link: String) {
        self.thread.link = Some(link);
    }

    fn replies_count(&mut self, count: usize) {
        self.thread.count = count;
    }
}

impl Replies<'_, '_> {
    fn reply(&mut self, root: &str, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.builder.len(), json.position());
        let Some(head) = read_row(self.builder, &mut NoNested, json)? else { return Ok(()) };
        self.thread.see(&head);
        // Where `id` stands behind `replies`, the root is known only from the reply itself.
        let parent = if root.is_empty() { head.reply_to().unwrap_or_default() } else { root };
        if self.wanted && self.filter.keep(&head, self.context.channel, parent) {
            let raw = self.builder.wants_raw().then(|| json.since(start));
            let parent = (!parent.is_empty()).then_some(parent);
            let context = Context { parent, raw, ..self.context };
            self.builder.end_row(head.cursor(), &context);
        } else {
            self.builder.truncate(mark);
        }
        Ok(())
    }
}

impl Rows for ThreadRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (start, position) = (self.start(), json.position());
        let (roots, mut replies) = self.parts();
        let Some(head) = read_row(roots, &mut replies, json)? else { return Ok(()) };
        let thread = replies.thread;
        let text = json.since(position);
        self.note_expansion(&thread, text, json)?;
        self.end(&start, &head, thread, text);
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.roots.len(), self.replies.len())
    }

    fn truncate(&mut self, mark: Mark) {
        self.roots.truncate(mark.0);
        self.replies.truncate(mark.1);
    }

    fn forget(&mut self) {
        self.filter.forget();
        self.outcome = ThreadOutcome::default();
    }

    fn begin_newest(&mut self) -> bool {
        let is_again = self.filter.begin_newest();
        if is_again {
            self.outcome = ThreadOutcome::default();
        }
        is_again
    }
}
