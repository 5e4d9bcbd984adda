//! One list below one parent: its request, its items, and what its rows take from the parent.

use serde_json::value::RawValue;

use crate::context::{ReadContext, named, read_object};
use crate::dedup::latest;
use crate::error_policy::explain_list;
use crate::page_sizes;
use teams_base::error::Result;
use teams_client::request::Request;
use teams_tables::Context;
use teams_tables::{Derived, List, Parent, Shape};

/// A parent of a list: its ids in the order of the path, and whether an option names it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub ids: Vec<String>,
    pub is_named: bool,
}

impl Place {
    pub fn below(&self, id: String, is_named: bool) -> Self {
        Self { ids: [self.ids.as_slice(), &[id]].concat(), is_named }
    }

    /// How it is called in errors and in the report.
    pub fn name(&self, parent: Parent) -> String {
        let kind = match parent.columns().last() {
            None => return "the tenant".to_owned(),
            Some(Derived::Channel) => "channel",
            Some(Derived::Chat) => "chat",
            Some(Derived::User) => "user",
            Some(Derived::Group) => "group",
            Some(Derived::Item) => "item",
            Some(_) => "team",
        };
        format!("{kind} {}", self.ids.join("/"))
    }
}

/// The items of one list, over all its pages, each once.
pub async fn items(context: &ReadContext, list: &'static List, place: &Place) -> Result<Vec<Box<RawValue>>> {
    let request = request(context, list, place);
    let items = match list.shape {
        Shape::Items => context.list_unless_empty(&request, list.empty).await,
        Shape::Object => context.client.get(&request, read_object).await.map(|answer| vec![answer.body]),
    };
    let on_forbidden = context.options.on_forbidden;
    let is_whole = place.is_named || context.left_out.is_some();
    let items = items.map_err(|error| explain_list(error, list.prerequisites, is_whole, on_forbidden))?;
    if list.stops_at == Some(items.len()) {
        let (scope, template) = (place.name(list.parent), list.endpoint.template);
        context.report().note(format!(
            "{scope}: {template} gave {} items and no further page, where it has been seen to stop: more may exist",
            items.len()
        ));
    }
    // Within one list nothing but the id tells items apart.
    Ok(latest(items, |item| item.get(), &["id"]))
}

/// The ids of the items of one list.
pub async fn ids(context: &ReadContext, list: &'static List, place: &Place) -> Result<Vec<String>> {
    let items = items(context, list, place).await?;
    named(&request(context, list, place), &items, |item| item.key("id"))
}

fn request(context: &ReadContext, list: &'static List, place: &Place) -> Request {
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
        request = request.query("$top", page_sizes::top(context.options.top, most));
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

pub fn row_context(parent: Parent, place: &Place) -> Context<'_> {
    let mut row = Context::default();
    for (column, id) in parent.columns().into_iter().zip(&place.ids) {
        let field = match column {
            Derived::Team => &mut row.team,
            Derived::Channel => &mut row.channel,
            Derived::Chat => &mut row.chat,
            Derived::User => &mut row.user,
            Derived::Group => &mut row.group,
            Derived::Item => &mut row.item,
            Derived::Parent | Derived::ObservedAt | Derived::Raw | Derived::Transcript => continue,
        };
        *field = Some(id);
    }
    row
}
