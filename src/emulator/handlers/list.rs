//! Pages of lists that belong to a team, a channel, a chat, a user or a group. Their items are derived from ids, so the
//! tenant stores none of them, and equal tenants have equal items.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::handlers::call::Call;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::Outcome;
use crate::http::response::Response;
use crate::odata::query::project;
use crate::tenant::model::object as object_of;

/// What an endpoint of this kind allows and leaves out.
#[derive(Clone, Copy, Default)]
pub struct Rules {
    /// `$options` beside `$select`.
    pub options: &'static [&'static str],
    /// Properties that come only with `$expand`.
    pub expanded: &'static [&'static str],
    /// Properties that come only with `$select`.
    pub selected: &'static [&'static str],
    /// Whether the page tells how many items it holds.
    pub counted: bool,
}

fn shown(call: &Call<'_>, rules: Rules, item: Map<String, Value>) -> Map<String, Value> {
    let select = call.query.select();
    let mut row = item;
    for name in rules.selected {
        if !select.as_ref().is_some_and(|names| names.contains(name)) {
            row.remove(*name);
        }
    }
    let mut expanded = Map::new();
    for name in rules.expanded {
        if let (Some(value), true) = (row.remove(*name), call.query.expands(name) && !call.faults.ignore_expand) {
            expanded.insert((*name).to_owned(), value);
        }
    }
    let kind = row.get("@odata.type").cloned();
    row = project(&row, select.as_deref(), &[]);
    row.extend(kind.map(|kind| ("@odata.type".to_owned(), kind)));
    row.extend(expanded);
    row
}

/// One page of the items; the position is the index of the next one.
pub fn page(call: &Call<'_>, context: &str, rules: Rules, items: Vec<Value>) -> Outcome {
    call.query.only(&[rules.options, &["$select", "$skiptoken"]].concat())?;
    let rows = items.into_iter().map(|item| shown(call, rules, object_of(item)));
    pages(call, context, rules.counted, rows)
}

/// One page of rows that are as they are to be shown.
pub fn pages(
    call: &Call<'_>,
    context: &str,
    counted: bool,
    rows: impl ExactSizeIterator<Item = impl Serialize>,
) -> Outcome {
    let after: usize = call.position()?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let last = (after + call.knobs.list_page.max(1)).min(rows.len());
    let mut page = Items::new();
    let end = if last < rows.len() { End::Next(last.to_string()) } else { End::Last };
    rows.take(last).skip(after).for_each(|row| page.push_value(&row));
    Ok(finish(call, context, page, counted, end))
}

/// A single object.
pub fn object(call: &Call<'_>, context: &str, mut item: Value) -> Outcome {
    call.query.only(&[])?;
    item["@odata.context"] = call.context(context).into();
    Ok(Response::ok(item.to_string()))
}
