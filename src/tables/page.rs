//! A page: the envelope around the items, and its links.

use std::borrow::Cow;

use crate::json::{FaultKind, Json, Read};
use crate::rows::Rows;

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
    let text = simdutf8::basic::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    let mark = rows.mark();
    let page = read_text(&text, rows)?;
    if !rows.begin_newest() {
        return Ok(page);
    }
    rows.truncate(mark);
    read_text(&text, rows)
}

fn read_text<R: Rows>(text: &str, rows: &mut R) -> Result<Page, String> {
    let mark = rows.mark();
    let mut json = Json::new(text);
    read_envelope(&mut json, rows).map_err(|_| {
        rows.truncate(mark);
        rows.forget();
        describe(json.failure(), text)
    })
}

/// Reads one item whose text is at hand.
pub fn read_item<R: Rows>(text: &str, rows: &mut R) {
    let mark = rows.mark();
    if rows.read(&mut Json::new(text)).is_err() {
        rows.truncate(mark);
    }
}

fn read_envelope<R: Rows>(json: &mut Json<'_>, rows: &mut R) -> Read<Page> {
    let mut page = Page::default();
    let mut has_value = false;
    if json.peek()? != b'{' {
        return json.fail(FaultKind::Shape);
    }
    json.object(|json| {
        match json.key()?.as_ref() {
            "value" => {
                page.items += read_items(json, rows)?;
                has_value = true;
            }
            "@odata.nextLink" => page.next_link = link(json)?,
            "@odata.deltaLink" => page.delta_link = link(json)?,
            "error" => return json.fail(FaultKind::ErrorBody),
            _ => json.skip()?,
        }
        Ok(())
    })?;
    json.end()?;
    if has_value { Ok(page) } else { json.fail(FaultKind::Shape) }
}

fn read_items<R: Rows>(json: &mut Json<'_>, rows: &mut R) -> Read<usize> {
    let mut items = 0;
    // A null is no list: taken for an empty one, it would say that everything is gone.
    if json.peek()? != b'[' {
        return json.fail(FaultKind::Shape);
    }
    json.array(|json| {
        items += 1;
        rows.read(json)
    })?;
    Ok(items)
}

fn link(json: &mut Json<'_>) -> Read<Option<String>> {
    if json.peek()? != b'"' {
        json.skip()?;
        return Ok(None);
    }
    Ok(Some(json.string()?.into_owned()).filter(|link| !link.is_empty()))
}

/// Says what is wrong without quoting the body, which may hold private messages.
fn describe((kind, at): (FaultKind, usize), text: &str) -> String {
    let before = &text.as_bytes()[..at];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.rsplit(|byte| *byte == b'\n').next().map_or(1, |last| last.len() + 1);
    let position = format!("at line {line} column {column}");
    match (text.trim_start().as_bytes().first(), kind) {
        (None, _) => "an empty body".to_owned(),
        (Some(b'<'), _) => "markup instead of JSON".to_owned(),
        (_, FaultKind::End) => format!("JSON that is cut off {position}"),
        (_, FaultKind::Syntax) => format!("malformed JSON {position}"),
        (_, FaultKind::ErrorBody) => "an error body with status 200".to_owned(),
        (_, FaultKind::Shape) => format!("JSON that is no page of items {position}"),
    }
}
