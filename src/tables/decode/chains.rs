//! Rows of a channel's list: each item is a root, with its replies inside. A chain is taken whole or not at all.

use jiff::Timestamp;

use super::builder::{Context, TableBuilder};
use super::filter::Filter;
use super::json::{Json, Read};
use super::row::{Head, Mark, Nested, NoNested, Rows, read_row};

/// A chain whose replies go on behind a link.
#[derive(Debug, PartialEq, Eq)]
pub struct Continuation {
    pub root: String,
    pub link: String,
}

/// Chains into two tables.
///
/// If the root or any reply is as new as `bound`, the root and every reply are taken: a chain that moves to the top of
/// the list while the list is being paged would otherwise lose its older rows for good.
pub struct ChainRows<'a, 'f> {
    pub roots: &'a mut TableBuilder,
    pub replies: &'a mut TableBuilder,
    pub wants_roots: bool,
    pub wants_replies: bool,
    pub team: &'a str,
    pub channel: &'a str,
    pub bound: Option<Timestamp>,
    pub filter: &'a mut Filter<'f>,
    outcome: ChainOutcome,
}

#[derive(Debug, Default)]
pub struct ChainOutcome {
    /// A chain older than the bound was met: the list is newest chain first, so the rest is older still.
    pub reached_bound: bool,
    pub continuations: Vec<Continuation>,
    /// Roots with the `replies` that were asked for, be they none, and roots without.
    pub expanded: usize,
    pub unexpanded: usize,
}

impl ChainOutcome {
    /// The server ignored `$expand`: no root on the page has its replies.
    pub fn is_bare(&self) -> bool {
        self.expanded == 0 && self.unexpanded > 0
    }
}

impl<'a, 'f> ChainRows<'a, 'f> {
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
            outcome: ChainOutcome::default(),
        }
    }

    pub fn into_outcome(self) -> ChainOutcome {
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
            judged: self.bound.is_some(),
            context: Context { team: Some(self.team), channel: Some(self.channel), ..Context::default() },
            filter: &mut *self.filter,
            chain: Chain::default(),
        };
        (self.roots, replies)
    }

    fn end(&mut self, start: &Start, head: &Head<'_>, chain: Chain, raw: Option<&str>) {
        let newest = chain.newest.max(head.modified);
        let is_dated = head.modified.is_some() && !chain.undated;
        let is_old = is_dated && self.bound.is_some_and(|bound| newest.is_some_and(|newest| newest < bound));
        self.outcome.expanded += usize::from(chain.expanded);
        self.outcome.unexpanded += usize::from(!chain.expanded);
        if is_old {
            // Of a chain that goes on behind a link only the newest replies are here: an older one may have been edited,
            // so that it says nothing of what comes after it.
            self.outcome.reached_bound |= chain.link.is_none();
            self.take_back(start);
            return;
        }
        if let (Some(link), true) = (chain.link, self.wants_replies) {
            self.outcome.continuations.push(Continuation { root: head.id().to_owned(), link });
        }
        if self.wants_roots && self.filter.keep(head, Some(self.channel), "") {
            let context = Context { team: Some(self.team), channel: Some(self.channel), raw, ..Context::default() };
            self.roots.end_row(head.cursor(), &context);
        } else {
            self.roots.truncate(start.rows.0);
        }
    }
}

/// Where a chain started, to take it back whole.
struct Start {
    rows: Mark,
    noted: usize,
}

/// What a root's replies say of the chain.
#[derive(Default)]
struct Chain {
    newest: Option<Timestamp>,
    /// Some reply has no readable time, so the chain can't be called old.
    undated: bool,
    expanded: bool,
    link: Option<String>,
}

impl Chain {
    fn see(&mut self, head: &Head<'_>) {
        self.newest = self.newest.max(head.modified);
        self.undated |= head.modified.is_none();
    }
}

struct Replies<'r, 'f> {
    builder: &'r mut TableBuilder,
    wanted: bool,
    /// Whether they decide if the chain is taken.
    judged: bool,
    context: Context<'r>,
    filter: &'r mut Filter<'f>,
    chain: Chain,
}

impl Nested for Replies<'_, '_> {
    fn replies(&mut self, root: &Head<'_>, json: &mut Json<'_>) -> Read<()> {
        if json.peek()? != b'[' {
            return json.skip();
        }
        self.chain.expanded = true;
        if !self.wanted && !self.judged {
            return json.skip();
        }
        json.array(|json| self.reply(root.id(), json))
    }

    fn replies_link(&mut self, link: String) {
        self.chain.link = Some(link);
    }
}

impl Replies<'_, '_> {
    fn reply(&mut self, root: &str, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.builder.len(), json.position());
        let Some(head) = read_row(self.builder, &mut NoNested, json)? else { return Ok(()) };
        self.chain.see(&head);
        // A server that puts `id` behind `replies` leaves only the reply's own word for its root.
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

impl Rows for ChainRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (start, position) = (self.start(), json.position());
        let (roots, mut replies) = self.parts();
        let Some(head) = read_row(roots, &mut replies, json)? else { return Ok(()) };
        let chain = replies.chain;
        let raw = self.roots.wants_raw().then(|| json.since(position));
        self.end(&start, &head, chain, raw);
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
        self.outcome = ChainOutcome::default();
    }
}
