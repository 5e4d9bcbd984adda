//! The parents that have a list each: teams, their channels, chats, users, groups, and the items of other lists.

use std::future::Future;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::list::{Place, ids};
use crate::context::ReadContext;
use crate::dedup::SeenKeys;
use crate::discover::{self, channels, chats, teams, users};
use teams_base::error::Result;
use teams_tables::{Derived, List, Parent};

/// Lists read at once; the client's budgets decide how fast.
pub const CONCURRENCY: usize = 24;

fn places(ids: Vec<String>, is_named: bool) -> Vec<Place> {
    ids.into_iter().map(|id| Place { ids: vec![id], is_named }).collect()
}

/// All parents that the options name or discover.
pub fn parents(context: &ReadContext, parent: Parent) -> BoxFuture<'_, Result<Vec<Place>>> {
    async move {
        let options = &context.options;
        match parent {
            Parent::Tenant => Ok(vec![Place { ids: Vec::new(), is_named: true }]),
            Parent::Team => Ok(places(teams::ids(context).await?, !options.team_ids.is_empty())),
            Parent::User => Ok(places(users::all_ids(context).await?, !options.user_ids.is_empty())),
            Parent::Group | Parent::MailGroup => groups_or_teams(context, parent).await,
            Parent::Channel | Parent::SharedChannel => channels_of_teams(context, parent).await,
            Parent::Chat => chats_of_users(context).await,
            Parent::Item(list) => items_of(context, list).await,
        }
    }
    .boxed()
}

/// What a read of the lists can be divided by: nothing where chats are parents, because a chat is listed by each of its
/// members, and only one reader of all of them can leave the repeats out.
pub async fn scopes(context: &ReadContext, parent: Parent) -> Result<Vec<String>> {
    match parent {
        Parent::Tenant | Parent::Chat => Ok(Vec::new()),
        Parent::Team | Parent::Channel | Parent::SharedChannel => teams::ids(context).await,
        Parent::User => users::all_ids(context).await,
        Parent::Group | Parent::MailGroup => {
            let groups = groups_or_teams(context, parent).await?;
            Ok(groups.into_iter().flat_map(|place| place.ids).collect())
        }
        Parent::Item(list) => Box::pin(scopes(context, list.parent)).await,
    }
}

/// A team is a group of the same id.
async fn groups_or_teams(context: &ReadContext, parent: Parent) -> Result<Vec<Place>> {
    let options = &context.options;
    if options.fetch_all_teams || !options.team_ids.is_empty() {
        return parents(context, Parent::Team).await;
    }
    let mut groups = discover::groups::ids(context, parent == Parent::MailGroup).await?;
    groups.retain(|id| !options.excludes_team(id));
    Ok(places(groups, !options.group_ids.is_empty()))
}

async fn channels_of_teams(context: &ReadContext, parent: Parent) -> Result<Vec<Place>> {
    let is_named = !context.options.channel_ids.is_empty();
    below(context, &[Derived::Team], parents(context, Parent::Team).await?, |team| async move {
        let channels = match parent {
            Parent::SharedChannel if !is_named => channels::shared_ids(context, &team.ids[0]).await?,
            _ => channels::ids(context, &team.ids[0]).await?,
        };
        Ok(channels.into_iter().map(|id| team.below(id, is_named)).collect())
    })
    .await
}

/// Each chat once, though each of its members lists it.
async fn chats_of_users(context: &ReadContext) -> Result<Vec<Place>> {
    if !context.options.chat_ids.is_empty() {
        return Ok(places(discover::named(&context.options.chat_ids), true));
    }
    let seen = &SeenKeys::default();
    // Rows of chats do not tell whose list showed them, so that no row could be kept for a user who is left out.
    below(context, &[], parents(context, Parent::User).await?, |user| async move {
        let mut ids = chats::ids(context, &user.ids[0]).await?;
        ids.retain(|id| seen.insert(id));
        Ok(places(ids, false))
    })
    .await
}

async fn items_of(context: &ReadContext, list: &'static List) -> Result<Vec<Place>> {
    below(context, &list.parent.columns(), parents(context, list.parent).await?, |place| async move {
        let found = ids(context, list, &place).await?;
        Ok(found.into_iter().map(|id| place.below(id, false)).collect())
    })
    .await
}

/// The places below each of these, listed side by side. One that was discovered and is gone has none; `columns` name one
/// that is left out, in the rows of what is below it.
async fn below<F>(
    context: &ReadContext,
    columns: &[Derived],
    places: Vec<Place>,
    find: impl Fn(Place) -> F,
) -> Result<Vec<Place>>
where
    F: Future<Output = Result<Vec<Place>>>,
{
    let find = &find;
    let lists = stream::iter(0..places.len()).map(|at| {
        let place = &places[at];
        let scope: Vec<_> = columns.iter().copied().zip(place.ids.iter().map(String::as_str)).collect();
        async move { context.unless_left_out(&scope, place.is_named, move || find(place.clone())).await }
    });
    let found: Vec<Option<Vec<Place>>> = lists.buffered(CONCURRENCY).try_collect().await?;
    Ok(found.into_iter().flatten().flatten().collect())
}
