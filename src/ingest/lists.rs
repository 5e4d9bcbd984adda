//! Tables of one list per parent. They are snapshots: whole, or an error, because downstream a missing row is a delete.
//!
//! The lists are asked for one by one, side by side. A batch would save round trips but no quota, and 24 of them on their
//! way fill every documented limit.

use std::future::Future;

use futures::future::ready;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::value::RawValue;

use super::job::{Job, named};
use super::parents::{Place, parents};
use super::snapshot::read_object;
use teams_base::error::{Error, Result};
use teams_base::options::OnForbidden;
use teams_client::request::Request;
use teams_tables::{Context, Derived, Filter, KeySet, List, ListRows, Parent, Shape, read_item};

pub use super::parents::scopes;

/// Lists read at once; the client's budgets decide how fast.
pub const CONCURRENCY: usize = 24;

/// Every list of the table.
pub async fn read(job: &Job, list: &'static List) -> Result<()> {
    let places = parents(job, list.parent).await?;
    // Made one by one: a future for each of a million chats would not be small.
    let reads = stream::iter(0..places.len()).map(|at| one(job, list, &places[at]));
    reads.buffer_unordered(CONCURRENCY).try_for_each(|()| ready(Ok(()))).await
}

/// One whole list. One that fails part-way fails the snapshot, so rows already given do no harm.
async fn one(job: &Job, list: &'static List, place: &Place) -> Result<()> {
    let items = confirmed(job, place.is_named, || items(job, list, place)).await?;
    let items = items.unwrap_or_default();
    job.sink.with(|builders| {
        if let [rows, ..] = builders {
            // A list that changes while it is paged may give an item twice.
            let mut given = KeySet::default();
            let mut filter = Filter { seen: Some(&mut given), ..Filter::default() };
            let mut rows = ListRows::new(rows, context(list.parent, place), &mut filter);
            for item in &items {
                read_item(item.get(), &mut rows);
            }
        }
    });
    job.sink.flush().await
}

/// The items of one list, over all its pages.
async fn items(job: &Job, list: &'static List, place: &Place) -> Result<Vec<Box<RawValue>>> {
    let request = request(job, list, place);
    let items = match list.shape {
        Shape::Items => job.list_raw(&request).await,
        Shape::Object => job.client.get(&request, read_object).await.map(|answer| vec![answer.body]),
    };
    let items = items.map_err(|error| explained(job, list, place, error))?;
    if list.stops_at == Some(items.len()) {
        let (scope, template) = (place.name(list.parent), list.endpoint.template);
        job.report().note(format!(
            "{scope}: {template} gave {} items and no further page, where it has been seen to stop: more may exist",
            items.len()
        ));
    }
    Ok(items)
}

/// Reads a scope; one that was discovered and is not found twice is reported and left out: it was deleted meanwhile.
pub async fn confirmed<T, F: Future<Output = Result<T>>>(
    job: &Job,
    is_named: bool,
    read: impl Fn() -> F,
) -> Result<Option<T>> {
    match read().await {
        Err(Error::NotFound(_)) if !is_named => {}
        result => return result.map(Some),
    }
    match read().await {
        Err(Error::NotFound(failure)) => {
            job.skip(&failure, "it is listed, but it was not found twice");
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// What the items of one list are called.
pub async fn ids(job: &Job, list: &'static List, place: &Place) -> Result<Vec<String>> {
    let items = items(job, list, place).await?;
    named(&request(job, list, place), &items, |item| item.key("id"))
}

fn request(job: &Job, list: &'static List, place: &Place) -> Request {
    let mut ids = place.ids.iter();
    let segments: Vec<&str> = list
        .endpoint
        .template
        .split('/')
        .skip(1)
        .map(|segment| if segment == "{id}" { ids.next().map_or("", String::as_str) } else { segment })
        .collect();
    let mut request = Request::new(list.endpoint, &segments, place.name(list.parent));
    for (name, value) in list.query {
        request = request.query(name, value);
    }
    if let Some(most) = list.top {
        request = request.query("$top", job.options.top.unwrap_or(most).min(most));
    }
    for (column, id) in list.parent.columns().into_iter().zip(&place.ids) {
        request = match column {
            // A group's mailbox has a limit as a team has, and no group draws on both.
            Derived::Team | Derived::Group => request.team(id),
            Derived::Channel | Derived::Chat => request.conversation(id),
            Derived::User => request.user(id),
            _ => request,
        };
    }
    request
}

fn context(parent: Parent, place: &Place) -> Context<'_> {
    let mut context = Context::default();
    for (column, id) in parent.columns().into_iter().zip(&place.ids) {
        let slot = match column {
            Derived::Team => &mut context.team,
            Derived::Channel => &mut context.channel,
            Derived::Chat => &mut context.chat,
            Derived::User => &mut context.user,
            Derived::Group => &mut context.group,
            Derived::Item => &mut context.item,
            Derived::Parent | Derived::ObservedAt | Derived::Raw | Derived::Transcript => continue,
        };
        *slot = Some(id);
    }
    context
}

/// A refusal with what the tenant may lack, and with why `on_forbidden` does not help.
fn explained(job: &Job, list: &List, place: &Place, mut error: Error) -> Error {
    if let Error::PermissionDenied(failure) | Error::NotFound(failure) | Error::Service(failure) = &mut error {
        let mut say = |text: &str| {
            let joint = if failure.remedy.is_empty() { "" } else { ". " };
            failure.remedy = format!("{}{joint}{text}", failure.remedy);
        };
        if !list.prerequisites.is_empty() {
            say(list.prerequisites);
        }
        let is_forbidden = failure.status == Some(403);
        if is_forbidden && !place.is_named && job.options.on_forbidden == OnForbidden::Skip {
            say("A snapshot is whole or an error, so on_forbidden=skip does not apply: name what can be read");
        }
    }
    error
}
