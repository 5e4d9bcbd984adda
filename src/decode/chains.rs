//! Rows of a channel's list: each item is a root, with its replies inside. A chain is taken whole or not at all.

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::builder::{Context, TableBuilder};
use super::filter::Filter;
use super::row::{Head, Mark, Nested, NoNested, Rows, read_row};
use super::salvage;

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
    head: Head,
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
            head: Head::default(),
        }
    }

    pub fn into_outcome(self) -> ChainOutcome {
        self.outcome
    }

    fn start(&self) -> Start {
        Start { rows: self.mark(), noted: self.filter.page.mark() }
    }

    fn take_back(&mut self, start: &Start) {
        self.truncate(start.rows);
        self.filter.page.take_back(start.noted);
    }

    /// Splits into the root's builder and what reads its replies.
    fn parts(&mut self) -> (&mut TableBuilder, &mut Head, Replies<'_, 'f>) {
        let replies = Replies {
            builder: self.replies,
            wanted: self.wants_replies,
            context: Context { team: Some(self.team), channel: Some(self.channel), ..Context::default() },
            filter: &mut *self.filter,
            newest: None,
            undated: false,
            expanded: false,
            link: None,
        };
        (self.roots, &mut self.head, replies)
    }

    fn end(&mut self, start: Start, is_object: bool, chain: Chain, raw: Option<&str>) {
        if !is_object {
            self.take_back(&start);
            return;
        }
        let newest = chain.newest.max(self.head.modified);
        let is_dated = self.head.modified.is_some() && !chain.undated;
        let is_old = is_dated && self.bound.is_some_and(|bound| newest.is_some_and(|newest| newest < bound));
        self.outcome.expanded += usize::from(chain.expanded);
        self.outcome.unexpanded += usize::from(!chain.expanded);
        if is_old {
            // Of a chain that goes on behind a link only the newest replies are here: an older one may have been edited,
            // so that it says nothing of what comes after it.
            self.outcome.reached_bound |= chain.link.is_none();
            self.take_back(&start);
            return;
        }
        if let (Some(link), true) = (chain.link, self.wants_replies) {
            self.outcome.continuations.push(Continuation { root: self.head.id.clone(), link });
        }
        if self.wants_roots && self.filter.keep(&self.head, self.channel, "") {
            let cursor = self.head.cursor.take();
            let context = Context { team: Some(self.team), channel: Some(self.channel), raw, ..Context::default() };
            self.roots.end_row(cursor.as_deref(), &context);
        } else {
            self.roots.truncate(start.rows.0);
        }
    }

    /// Replies are read before their root's id is known for certain, if the server puts `id` last.
    fn salvage_replies(&mut self, text: &str) -> Chain {
        let mut chain = Chain::default();
        let Some(properties) = salvage::properties(text) else { return chain };
        let root = self.head.id.clone();
        for (key, raw) in properties {
            match key.as_str() {
                "replies" => {
                    chain.expanded = true;
                    let items: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).unwrap_or_default();
                    for item in items {
                        self.salvage_reply(&root, item.get(), &mut chain);
                    }
                }
                "replies@odata.nextLink" => chain.link = serde_json::from_str(raw.get()).ok(),
                _ => {}
            }
        }
        chain
    }

    fn salvage_reply(&mut self, root: &str, text: &str, chain: &mut Chain) {
        let mark = self.replies.len();
        let mut head = Head::default();
        if !salvage::row(self.replies, &mut head, &mut NoNested, text) {
            self.replies.truncate(mark);
            return;
        }
        chain.see(&head);
        if self.wants_replies && self.filter.keep(&head, self.channel, root) {
            let raw = self.replies.wants_raw().then_some(text);
            let context = Context {
                team: Some(self.team),
                channel: Some(self.channel),
                parent: Some(root),
                raw,
                ..Context::default()
            };
            self.replies.end_row(head.cursor.as_deref(), &context);
        } else {
            self.replies.truncate(mark);
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
    fn see(&mut self, head: &Head) {
        self.newest = self.newest.max(head.modified);
        self.undated |= head.modified.is_none();
    }
}

struct Replies<'r, 'f> {
    builder: &'r mut TableBuilder,
    wanted: bool,
    context: Context<'r>,
    filter: &'r mut Filter<'f>,
    newest: Option<Timestamp>,
    undated: bool,
    expanded: bool,
    link: Option<String>,
}

impl Replies<'_, '_> {
    fn chain(self) -> Chain {
        Chain { newest: self.newest, undated: self.undated, expanded: self.expanded, link: self.link }
    }
}

impl Nested for Replies<'_, '_> {
    fn replies<'de, A: MapAccess<'de>>(&mut self, root: &Head, map: &mut A) -> Result<(), A::Error> {
        let root = root.id.clone();
        map.next_value_seed(ReplyList { replies: self, root: &root })
    }

    fn replies_link(&mut self, link: String) {
        self.link = Some(link);
    }
}

struct ReplyList<'l, 'r, 'f> {
    replies: &'l mut Replies<'r, 'f>,
    root: &'l str,
}

impl<'de> DeserializeSeed<'de> for ReplyList<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReplyList<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of replies")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        self.replies.expanded = true;
        let mut head = Head::default();
        while sequence.next_element_seed(Reply { list: self.replies, root: self.root, head: &mut head })?.is_some() {}
        Ok(())
    }
}

struct Reply<'l, 'r, 'f> {
    list: &'l mut Replies<'r, 'f>,
    root: &'l str,
    head: &'l mut Head,
}

impl<'de> DeserializeSeed<'de> for Reply<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { list, root, head } = self;
        let mark = list.builder.len();
        if !read_row(list.builder, head, &mut NoNested, deserializer)? {
            list.builder.truncate(mark);
            return Ok(());
        }
        list.newest = list.newest.max(head.modified);
        list.undated |= head.modified.is_none();
        // A server that puts `id` behind `replies` leaves only the reply's own word for its root.
        let parent = if root.is_empty() { head.reply_to.as_deref().unwrap_or_default() } else { root };
        if list.wanted && list.filter.keep(head, list.context.channel.unwrap_or_default(), parent) {
            let context = Context { parent: Some(parent), ..list.context };
            list.builder.end_row(head.cursor.as_deref(), &context);
        } else {
            list.builder.truncate(mark);
        }
        Ok(())
    }
}

impl Rows for ChainRows<'_, '_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, item: D) -> Result<(), D::Error> {
        let start = self.start();
        let (roots, head, mut replies) = self.parts();
        let is_object = read_row(roots, head, &mut replies, item)?;
        let chain = replies.chain();
        self.end(start, is_object, chain, None);
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

    fn wants_raw(&self) -> bool {
        self.roots.wants_raw() || self.replies.wants_raw()
    }

    /// With `_raw`, replies are read from their own text too, so that each row's `_raw` is its own item.
    fn read_raw(&mut self, text: &str) -> serde_json::Result<()> {
        self.salvage(text);
        Ok(())
    }

    fn salvage(&mut self, text: &str) {
        let start = self.start();
        let is_object = salvage::row(self.roots, &mut self.head, &mut NoNested, text);
        let chain = self.salvage_replies(text);
        let raw = self.roots.wants_raw().then_some(text);
        self.end(start, is_object, chain, raw);
    }
}
