//! What there is one list of: teams, their channels, chats, users, groups, and the items of other lists.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::job::Job;
use super::lists::{CONCURRENCY, confirmed, ids};
use super::roster;
use teams_base::error::Result;
use teams_tables::{Derived, KeySet, List, Parent, key_hash};

/// One parent: its ids in the order of the path, and whether an option names it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub ids: Vec<String>,
    pub is_named: bool,
}

impl Place {
    fn below(&self, id: String, is_named: bool) -> Self {
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

fn places(ids: Vec<String>, is_named: bool) -> Vec<Place> {
    ids.into_iter().map(|id| Place { ids: vec![id], is_named }).collect()
}

/// All parents that the options name or discover.
pub fn parents(job: &Job, parent: Parent) -> BoxFuture<'_, Result<Vec<Place>>> {
    async move {
        let options = &job.options;
        match parent {
            Parent::Tenant => Ok(vec![Place { ids: Vec::new(), is_named: true }]),
            Parent::Team => Ok(places(roster::teams(job).await?, !options.team_ids.is_empty())),
            Parent::User => Ok(places(roster::every_user(job).await?, !options.user_ids.is_empty())),
            Parent::Group | Parent::MailGroup => groups(job, parent).await,
            Parent::Channel | Parent::SharedChannel => channels(job, parent).await,
            Parent::Chat => chats(job).await,
            Parent::Item(list) => items_of(job, list).await,
        }
    }
    .boxed()
}

/// What a read of the lists can be divided by. Chats have several members, so that each is read once only if one reader
/// reads them all.
pub async fn scopes(job: &Job, parent: Parent) -> Result<Vec<String>> {
    match parent {
        Parent::Tenant | Parent::Chat => Ok(Vec::new()),
        Parent::Team | Parent::Channel | Parent::SharedChannel => roster::teams(job).await,
        Parent::User => roster::every_user(job).await,
        Parent::Group | Parent::MailGroup => {
            let groups = groups(job, parent).await?;
            Ok(groups.into_iter().flat_map(|place| place.ids).collect())
        }
        Parent::Item(list) => Box::pin(scopes(job, list.parent)).await,
    }
}

/// A team is a group of the same id.
async fn groups(job: &Job, parent: Parent) -> Result<Vec<Place>> {
    let options = &job.options;
    if options.fetch_all_teams || !options.team_ids.is_empty() {
        return parents(job, Parent::Team).await;
    }
    Ok(places(roster::groups(job, parent == Parent::MailGroup).await?, !options.group_ids.is_empty()))
}

async fn channels(job: &Job, parent: Parent) -> Result<Vec<Place>> {
    let is_named = !job.options.channel_ids.is_empty();
    below(job, parents(job, Parent::Team).await?, |team| async move {
        let channels = match parent {
            Parent::SharedChannel if !is_named => roster::shared_channels(job, &team.ids[0]).await?,
            _ => roster::channels(job, &team.ids[0]).await?.into_iter().map(|channel| channel.id).collect(),
        };
        Ok(channels.into_iter().map(|id| team.below(id, is_named)).collect())
    })
    .await
}

/// Each chat once, though several of the users may take part in it.
async fn chats(job: &Job) -> Result<Vec<Place>> {
    if !job.options.chat_ids.is_empty() {
        return Ok(places(roster::named(&job.options.chat_ids), true));
    }
    let claimed = Mutex::new(KeySet::default());
    let claimed = &claimed;
    below(job, parents(job, Parent::User).await?, |user| async move {
        let mut ids = roster::chat_ids(job, &user.ids[0]).await?;
        let mut claimed = claimed.lock().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|id| claimed.insert(key_hash("", "", id)));
        Ok(places(ids, false))
    })
    .await
}

async fn items_of(job: &Job, list: &'static List) -> Result<Vec<Place>> {
    below(job, parents(job, list.parent).await?, |place| async move {
        let found = ids(job, list, &place).await?;
        Ok(found.into_iter().map(|id| place.below(id, false)).collect())
    })
    .await
}

/// The places below each of these, listed side by side. One that was discovered and is gone has none.
async fn below<F>(job: &Job, places: Vec<Place>, find: impl Fn(Place) -> F) -> Result<Vec<Place>>
where
    F: Future<Output = Result<Vec<Place>>>,
{
    let find = &find;
    let lists = stream::iter(0..places.len()).map(|at| {
        let place = &places[at];
        confirmed(job, place.is_named, move || find(place.clone()))
    });
    let found: Vec<Option<Vec<Place>>> = lists.buffered(CONCURRENCY).try_collect().await?;
    Ok(found.into_iter().flatten().flatten().collect())
}
