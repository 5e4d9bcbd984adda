//! Groups.

use super::{id, named, sorted};
use crate::context::ReadContext;
use crate::page_sizes;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::Empty;

/// The ids of the groups that the options name, or of all, sorted; with `with_mail` only of those that have a mailbox:
/// the Microsoft 365 groups. <https://learn.microsoft.com/graph/api/group-list>
pub async fn ids(context: &ReadContext, with_mail: bool) -> Result<Vec<String>> {
    if let Some(scopes) = &context.scopes {
        return Ok(named(scopes));
    }
    if !context.options.group_ids.is_empty() {
        return Ok(named(&context.options.group_ids));
    }
    let mut request = Request::new(&endpoint::GROUPS, &["groups"], "all groups")
        .query("$select", "id")
        .query("$top", page_sizes::GROUPS);
    if with_mail {
        request = request.query("$filter", "groupTypes/any(c:c eq 'Unified')");
    }
    context.list(&request, Empty::Rare, id).await.map(sorted)
}
