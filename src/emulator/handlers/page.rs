//! A page of a collection: prepared items put one after another inside Graph's envelope.

use serde_json::Value;

use crate::handlers::call::Call;
use crate::http::response::Response;
use crate::odata::token::respell;

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
        End::Next(position) => Some(("@odata.nextLink", call.next_link(&position))),
        End::Link(link) => Some(("@odata.nextLink", link)),
        End::Delta(seq) => Some(("@odata.deltaLink", call.delta_link(seq))),
        End::Last => None,
    };
    apply_link_faults(call, &mut items, &mut link);
    let mut body = Vec::with_capacity(items.buffer.len() + 512);
    body.extend_from_slice(b"{\"@odata.context\":");
    body.extend_from_slice(text(&call.context(context)).as_bytes());
    if counted {
        body.extend_from_slice(format!(",\"@odata.count\":{}", items.count).as_bytes());
    }
    if let Some((name, link)) = link {
        body.extend_from_slice(format!(",\"{name}\":{}", text(&link)).as_bytes());
    }
    body.extend_from_slice(b",\"value\":[");
    body.extend_from_slice(&items.buffer);
    body.extend_from_slice(b"]}");
    Response::ok(body)
}

/// The faults that concern links.
fn apply_link_faults(call: &Call<'_>, items: &mut Items, link: &mut Option<(&'static str, String)>) {
    let faults = call.faults;
    if faults.empty_page || faults.endless {
        *items = Items::new();
    }
    if faults.empty_page || faults.endless || faults.repeat {
        *link = Some(("@odata.nextLink", same_place(call)));
    }
    if faults.loops {
        let mark = if call.request.raw_query.is_empty() { "" } else { "?" };
        *link = Some((
            "@odata.nextLink",
            format!("{}{}{mark}{}", call.request.base, call.request.path, call.request.raw_query),
        ));
    }
    if faults.foreign_link {
        let tail = call.next_link("");
        *link = Some(("@odata.nextLink", tail.replacen(&call.request.base, "https://graph.attacker.example", 1)));
    }
    if faults.no_links {
        *link = None;
    }
}

/// Another link to the page that is being answered: same place, different text.
fn same_place(call: &Call<'_>) -> String {
    let position = call.position().ok().flatten().unwrap_or_default();
    let ways = if call.faults.endless { u64::MAX } else { 7 };
    let again = respell(&call.seal(&position), call.faults.nonce, ways);
    call.link(&["$skiptoken"], &format!("$skiptoken={again}"))
}
