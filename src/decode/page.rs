//! A page: the envelope around the items, and its links.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::row::Rows;

/// What a page says beside its items.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub items: usize,
    pub next_link: Option<String>,
    pub delta_link: Option<String>,
}

/// Reads a whole page into `rows`. On an error nothing of the page remains in `rows`.
pub fn read_page<R: Rows>(body: &[u8], rows: &mut R) -> Result<Page, String> {
    // Validated once here, so that no string has to be validated on its own.
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    let mark = rows.mark();
    for slow in [rows.wants_raw(), true] {
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let envelope = deserializer.deserialize_map(Envelope { rows, slow });
        match envelope.and_then(|page| deserializer.end().map(|()| page)) {
            Ok(page) => return Ok(page),
            Err(error) => {
                rows.truncate(mark);
                rows.forget();
                if slow {
                    return Err(describe(&error, &text));
                }
            }
        }
    }
    unreachable!("the slow pass returns")
}

/// Reads one item whose text is at hand.
pub fn read_item<R: Rows>(text: &str, rows: &mut R) {
    let mark = rows.mark();
    if rows.read_raw(text).is_err() {
        rows.truncate(mark);
        rows.salvage(text);
    }
}

/// Says what is wrong without quoting the body, which may hold private messages.
fn describe(error: &serde_json::Error, text: &str) -> String {
    let position = format!("at line {} column {}", error.line(), error.column());
    match (text.trim_start().as_bytes().first(), error.classify()) {
        (None, _) => "an empty body".to_owned(),
        (Some(b'<'), _) => "markup instead of JSON".to_owned(),
        (_, Category::Eof) => format!("JSON that is cut off {position}"),
        (_, Category::Syntax | Category::Io) => format!("malformed JSON {position}"),
        (_, Category::Data) if text.trim_start().starts_with("{\"error\"") => ERROR_BODY.to_owned(),
        (_, Category::Data) => format!("JSON that is no page of items {position}"),
    }
}

const ERROR_BODY: &str = "an error body with status 200";

/// Reads the envelope; `slow` reads each item from its own text, so that a bad one can be salvaged.
struct Envelope<'r, R> {
    rows: &'r mut R,
    slow: bool,
}

impl<'de, R: Rows> Visitor<'de> for Envelope<'_, R> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with \"value\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        let mut has_value = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "value" => {
                    page.items += map.next_value_seed(Items { rows: &mut *self.rows, slow: self.slow })?;
                    has_value = true;
                }
                "@odata.nextLink" => page.next_link = link(map.next_value::<&RawValue>()?),
                "@odata.deltaLink" => page.delta_link = link(map.next_value::<&RawValue>()?),
                "error" => return Err(A::Error::custom(ERROR_BODY)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_value { Ok(page) } else { Err(A::Error::custom("no \"value\"")) }
    }
}

fn link(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<Option<String>>(raw.get()).ok().flatten().filter(|link| !link.is_empty())
}

struct Items<'r, R> {
    rows: &'r mut R,
    slow: bool,
}

impl<'de, R: Rows> DeserializeSeed<'de> for Items<'_, R> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Rows> Visitor<'de> for Items<'_, R> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_unit<E>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<usize, A::Error> {
        let mut items = 0;
        if self.slow {
            while let Some(raw) = sequence.next_element::<&RawValue>()? {
                read_item(raw.get(), self.rows);
                items += 1;
            }
        } else {
            while sequence.next_element_seed(Item { rows: &mut *self.rows })?.is_some() {
                items += 1;
            }
        }
        Ok(items)
    }
}

struct Item<'r, R> {
    rows: &'r mut R,
}

impl<'de, R: Rows> DeserializeSeed<'de> for Item<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.rows.read(deserializer)
    }
}
