//! Rows of an export: roots and replies of a whole team, told apart by `replyToId`.

use super::context::Context;
use super::filter::Filter;
use super::page_rows::{Mark, Rows};
use super::properties::Use;
use super::row::{NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::json::{Json, Member, Read, Walk};

/// How many properties are looked at to guess whether an item is a reply: Graph puts `replyToId` behind type and id.
const LOOK_AHEAD: usize = 4;

/// Messages of an export into two tables.
pub struct ExportRows<'a, 'f> {
    pub roots: &'a mut TableBuilder,
    pub replies: &'a mut TableBuilder,
    pub wants_roots: bool,
    pub wants_replies: bool,
    pub team: &'a str,
    pub filter: &'a mut Filter<'f>,
    /// Where `replyToId` stood in the last reply.
    pub reply_at: Option<usize>,
}

/// The key that tells replies, as it usually stands.
const REPLY_TO: &str = "\"replyToId\":";

impl ExportRows<'_, '_> {
    /// Whether the item here is a reply, as far as its first properties tell; nothing is read.
    fn looks_like_reply(&mut self, json: &mut Json<'_>) -> bool {
        let start = json.position();
        // Ids are of one length, so it stands where it stood in the last reply.
        if let Some(first) = self.reply_at.and_then(|at| json.member_at(start + at, REPLY_TO)) {
            return first == b'"';
        }
        let guess = self.names_root(json).unwrap_or(false);
        self.reply_at = json.position().checked_sub(REPLY_TO.len() + start).filter(|_| guess);
        json.go_back(start);
        guess
    }

    fn names_root(&mut self, json: &mut Json<'_>) -> Read<bool> {
        let properties = &mut self.roots.properties;
        let mut walk = Walk::default();
        if json.peek()? != b'{' {
            return Ok(false);
        }
        for _ in 0..LOOK_AHEAD {
            match properties.keys.next(&mut walk, json)? {
                Some(Member::Known(property, first)) if properties.get(property).0 == Use::ReplyTo => {
                    return Ok(first == b'"');
                }
                Some(_) => json.skip()?,
                None => break,
            }
        }
        Ok(false)
    }

    /// Reads an item into one of the tables; `false` when it belongs to the other.
    fn read_as(&mut self, is_reply: bool, json: &mut Json<'_>) -> Read<bool> {
        let builder = if is_reply { &mut *self.replies } else { &mut *self.roots };
        let is_wanted = if is_reply { self.wants_replies } else { self.wants_roots };
        let mark = builder.len();
        let start = json.position();
        let Some(head) = read_row(builder, &mut NoNested, json)? else { return Ok(true) };
        let parent = head.reply_to();
        if parent.is_some() != is_reply {
            builder.truncate(mark);
            return Ok(false);
        }
        let channel = head.channel();
        if self.filter.keep(&head, channel, parent.unwrap_or_default()) && is_wanted {
            let raw = builder.wants_raw().then(|| json.since(start));
            let context = Context { team: Some(self.team), channel, parent, raw, ..Context::default() };
            builder.end_row(head.cursor(), &context);
        } else {
            builder.truncate(mark);
        }
        Ok(true)
    }
}

impl Rows for ExportRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let start = json.position();
        let is_reply = self.looks_like_reply(json);
        if !self.read_as(is_reply, json)? {
            json.go_back(start);
            self.read_as(!is_reply, json)?;
        }
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
    }

    fn begin_newest(&mut self) -> bool {
        self.filter.begin_newest()
    }
}
