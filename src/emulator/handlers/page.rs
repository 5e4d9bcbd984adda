//! A page of a collection: prepared items put one after another inside Graph's envelope.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::faults::injector::NoItems;
use crate::faults::tails::{Tail, Tails};
use crate::handlers::call::{CIRCLE_PAGE, CIRCLE_START, Call};
use crate::http::response::Response;
use crate::odata::token::respell;

const NEXT_LINK: &str = "@odata.nextLink";
const DELTA_LINK: &str = "@odata.deltaLink";

pub enum End {
    /// More follows; the position after the last item.
    Next(String),
    /// More follows, at a link that is already written.
    Link(String),
    /// The end of a delta round; the step it covers.
    Delta(u64),
    Last,
}

#[derive(Default)]
pub struct Items {
    buffer: Vec<u8>,
    /// Where each item begins.
    starts: Vec<usize>,
    pub count: usize,
}

impl Items {
    pub fn new() -> Self {
        Self::default()
    }

    fn separate(&mut self) {
        if self.count > 0 {
            self.buffer.push(b',');
        }
        self.starts.push(self.buffer.len());
        self.count += 1;
    }

    pub fn push(&mut self, item: &[u8]) {
        self.separate();
        self.buffer.extend_from_slice(item);
    }

    pub fn push_value(&mut self, item: &impl serde::Serialize) {
        self.separate();
        // Writing to memory fails only for maps with keys that are not text, which none of ours has.
        let _ = serde_json::to_writer(&mut self.buffer, item);
    }

    /// An item with members put before its own: `prefix` is their JSON, without braces.
    pub fn push_prefixed(&mut self, prefix: &str, item: &[u8]) {
        self.separate();
        self.buffer.push(b'{');
        self.buffer.extend_from_slice(prefix.as_bytes());
        self.buffer.push(b',');
        self.buffer.extend_from_slice(&item[1..]);
    }

    /// An item with members put after its own; `prefix` may be empty.
    pub fn push_with(&mut self, prefix: &str, item: &[u8], tail: &[u8]) {
        if prefix.is_empty() {
            self.push(&item[..item.len() - 1]);
        } else {
            self.push_prefixed(prefix, &item[..item.len() - 1]);
        }
        self.buffer.push(b',');
        self.buffer.extend_from_slice(tail);
        self.buffer.push(b'}');
    }

    fn tail(&self, items: usize) -> Tail {
        let count = items.min(self.count);
        let start = self.starts[self.count - count..].first().copied().unwrap_or(self.buffer.len());
        Tail { bytes: self.buffer[start..].to_vec(), count }
    }

    /// The same items after those of a tail.
    fn after(self, tail: &Tail) -> Self {
        let mut all = Self::new();
        for (items, count) in [(&tail.bytes, tail.count), (&self.buffer, self.count)] {
            if count > 0 {
                all.push(items);
                all.count += count - 1;
            }
        }
        all
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }
}

fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// Closes a page. `counted`: `@odata.count` on Teams collections is the number of items in this page, not a total.
pub fn finish(call: &Call<'_>, context: &str, mut items: Items, counted: bool, end: End) -> Response {
    let mut link = match end {
        End::Next(position) => Some((NEXT_LINK, call.next_link(&position))),
        End::Link(link) => Some((NEXT_LINK, link)),
        End::Delta(seq) => Some((DELTA_LINK, call.delta_link(seq))),
        End::Last => None,
    };
    if let Some(tails) = &call.faults.tails {
        items = repeat_items(call, tails, items, link.as_ref().map(|(_, link)| link.as_str()));
    }
    apply_link_faults(call, &mut items, &mut link);
    let no_items = call.faults.no_items;
    if no_items.is_some() {
        items = Items::new();
        link = link.filter(|(name, _)| *name == DELTA_LINK);
    }
    let mut body = Vec::with_capacity(items.buffer.len() + 512);
    body.extend_from_slice(b"{\"@odata.context\":");
    body.extend_from_slice(text(&call.context(context)).as_bytes());
    if counted {
        body.extend_from_slice(format!(",\"@odata.count\":{}", items.count).as_bytes());
    }
    if let Some((name, link)) = link {
        body.extend_from_slice(format!(",\"{name}\":{}", text(&link)).as_bytes());
    }
    match no_items {
        Some(NoItems::Null) => body.extend_from_slice(b",\"value\":null}"),
        Some(NoItems::Absent) => body.push(b'}'),
        Some(NoItems::Empty) | None => {
            body.extend_from_slice(b",\"value\":[");
            body.extend_from_slice(&items.buffer);
            body.extend_from_slice(b"]}");
        }
    }
    Response::ok(body)
}

/// The faults that concern links.
fn apply_link_faults(call: &Call<'_>, items: &mut Items, link: &mut Option<(&'static str, String)>) {
    let faults = call.faults;
    if faults.empty_page || faults.endless {
        *items = Items::new();
    }
    if faults.empty_page || faults.endless || faults.repeat {
        let ways = if faults.endless { u64::MAX } else { 7 };
        let again = respell(&own_token(call), faults.nonce, ways);
        *link = Some((NEXT_LINK, call.link(&["$skiptoken"], &format!("$skiptoken={again}"))));
    }
    if let Some(length) = faults.circle {
        *link = Some((NEXT_LINK, circle(call, length, link.take())));
    }
    if faults.foreign_link {
        let tail = call.next_link("");
        *link = Some((NEXT_LINK, tail.replacen(&call.request.base, "https://graph.attacker.example", 1)));
    }
    if faults.no_links {
        *link = None;
    }
}

/// The token of the page that is being answered.
fn own_token(call: &Call<'_>) -> String {
    call.seal(&call.position().ok().flatten().unwrap_or_default())
}

/// The next link of a circle. Links carry which page of the circle they lead to, and the query of its first page.
fn circle(call: &Call<'_>, length: u32, link: Option<(&'static str, String)>) -> String {
    let own = &call.request.raw_query;
    let page = call.query.get(CIRCLE_PAGE).and_then(|page| page.parse().ok()).unwrap_or(1);
    let first = call.query.get(CIRCLE_START).unwrap_or(own);
    if page >= length {
        let mark = if first.is_empty() { "" } else { "?" };
        return format!("{}{}{mark}{first}", call.request.base, call.request.path);
    }
    let next = link.filter(|(name, _)| *name == NEXT_LINK).map(|(_, link)| link);
    let next = next.unwrap_or_else(|| call.link(&["$skiptoken"], &format!("$skiptoken={}", own_token(call))));
    let first: String = url::form_urlencoded::byte_serialize(first.as_bytes()).collect();
    format!("{next}&{CIRCLE_PAGE}={}&{CIRCLE_START}={first}", page + 1)
}

/// The items after those that the page before ended with. What this page ends with is kept for the next one.
fn repeat_items(call: &Call<'_>, tails: &Tails, items: Items, link: Option<&str>) -> Items {
    let before = tails.before(&place(&format!("{}?{}", call.request.path, call.request.raw_query)));
    if let Some(next) = link.and_then(|link| link.strip_prefix(&call.request.base)) {
        tails.keep(place(next), items.tail(tails.items));
    }
    match before {
        Some(tail) => items.after(&tail),
        None => items,
    }
}

/// A link by which pages are known again, however a client spells it.
fn place(target: &str) -> String {
    percent_decode_str(target).decode_utf8_lossy().into_owned()
}
