//! Tables of one list per parent. They are snapshots: whole, or an error, because downstream a missing row is a delete.
//!
//! The lists are asked for one by one, side by side. A batch would save round trips but no quota, and 24 of them on their
//! way fill every documented limit.

use std::future::ready;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::list::{Place, items, row_context};
use super::parents::{CONCURRENCY, parents};
use crate::context::ReadContext;
use serde_json::value::RawValue;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_tables::{Fields, Filter, List, ListRows, read_item};

/// Every list of the table.
pub async fn read(context: &ReadContext, list: &'static List) -> Result<()> {
    let places = parents(context, list.parent).await?;
    // Made one by one: a future for each of a million chats would not be small.
    let reads = stream::iter(0..places.len()).map(|at| one(context, list, &places[at]));
    reads.buffer_unordered(CONCURRENCY).try_for_each(|()| ready(Ok(()))).await
}

/// One whole list. One that fails part-way fails the snapshot, so that rows already read do no harm.
async fn one(context: &ReadContext, list: &'static List, place: &Place) -> Result<()> {
    let columns = list.parent.columns();
    let scope: Vec<_> = columns.into_iter().zip(place.ids.iter().map(String::as_str)).collect();
    let items = context.unless_left_out(&scope, place.is_named, || items(context, list, place)).await?;
    let mut items = items.unwrap_or_default();
    if list.endpoint.template == endpoint::CHANNELS.template {
        let id = |item: &RawValue| Fields::of(item.get()).and_then(|item| item.id("id"));
        items.retain(|item| id(item).is_none_or(|id| !context.options.excludes_channel(&id)));
    }
    context.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            let mut rows = ListRows::new(rows, row_context(list.parent, place), &mut filter);
            for item in &items {
                read_item(item.get(), &mut rows);
            }
        }
    });
    context.sink.flush().await
}
