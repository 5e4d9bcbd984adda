//! A page of a collection: prepared items put one after another inside Graph's envelope.

use serde_json::Value;

use super::answer::Answer;
use super::call::Call;

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

    /// An item with members put before its own.
    pub fn push_led(&mut self, lead: &str, item: &[u8]) {
        self.separate();
        self.buffer.push(b'{');
        self.buffer.extend_from_slice(lead.as_bytes());
        self.buffer.push(b',');
        self.buffer.extend_from_slice(&item[1..]);
    }

    /// An item with members put after its own; `lead` may be empty.
    pub fn push_with(&mut self, lead: &str, item: &[u8], tail: &[u8]) {
        if lead.is_empty() {
            self.push(&item[..item.len() - 1]);
        } else {
            self.push_led(lead, &item[..item.len() - 1]);
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
pub fn finish(call: &Call<'_>, context: &str, mut items: Items, counted: bool, end: End) -> Answer {
    let mut link = match end {
        End::Next(position) => Some(("@odata.nextLink", call.next_link(&position))),
        End::Link(link) => Some(("@odata.nextLink", link)),
        End::Delta(seq) => Some(("@odata.deltaLink", call.delta_link(seq))),
        End::Last => None,
    };
    misdirect(call, &mut items, &mut link);
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
    Answer::ok(body)
}

/// The faults that concern links.
fn misdirect(call: &Call<'_>, items: &mut Items, link: &mut Option<(&'static str, String)>) {
    let shape = call.shape;
    if shape.empty_page || shape.endless {
        *items = Items::new();
    }
    if shape.empty_page || shape.endless || shape.repeat {
        *link = Some(("@odata.nextLink", same_place(call)));
    }
    if shape.loops {
        let mark = if call.raw_query.is_empty() { "" } else { "?" };
        *link = Some(("@odata.nextLink", format!("{}{}{mark}{}", call.base, call.path, call.raw_query)));
    }
    if shape.foreign_link {
        let tail = call.next_link("");
        *link = Some(("@odata.nextLink", tail.replacen(call.base, "https://graph.attacker.example", 1)));
    }
    if shape.no_links {
        *link = None;
    }
}

/// Another link to the page that is being answered: same place, different text.
fn same_place(call: &Call<'_>) -> String {
    let position = call.position().ok().flatten().unwrap_or_default();
    let kept = call.query.without(&["$skiptoken"]);
    let joint = if kept.is_empty() { "" } else { "&" };
    let ways = if call.shape.endless { u64::MAX } else { 7 };
    let again = super::odata::reseal(&call.seal(&position), call.shape.nonce, ways);
    format!("{}{}?{kept}{joint}$skiptoken={again}", call.base, call.path)
}
