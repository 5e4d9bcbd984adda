//! From the tables of a pipeline to the fewest subscriptions that cover them: one for the tenant, or one for each of a few places
//! that options name.

use serde::Serialize;

use super::offer::{self, Family, MOST_MINUTES};
use crate::notify::decode::{Wanted, sources};
use teams_base::error::Result;
use teams_base::options::TableOptions;
use teams_tables::find;

/// More places than these are covered by one subscription for the tenant, of which the rest is left out.
const MOST_PLACES: usize = 20;

/// What a subscription is restricted to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// A subscription that should be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub resource: String,
    pub change_type: &'static str,
    pub tables: Vec<String>,
    pub scope: Place,
    pub permissions: &'static [&'static str],
    pub quota: &'static str,
    pub max_minutes: u32,
}

/// A table that Graph does not push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotPushed {
    pub table: String,
    pub reason: &'static str,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub subscriptions: Vec<Planned>,
    pub not_pushed: Vec<NotPushed>,
}

/// What subscriptions the tables need.
pub fn plan(wanted: &[Wanted]) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut needs: Vec<(Need, &str)> = Vec::new();
    for one in wanted {
        let table = find(&one.table)?;
        let sources = sources(table);
        if sources.is_empty() {
            let reason = "Graph sends no notifications of it: it is kept fresh by reading it";
            plan.not_pushed.push(NotPushed { table: one.table.clone(), reason });
        }
        for source in sources {
            needs.extend(self::needs(source, &one.options).into_iter().map(|need| (need, one.table.as_str())));
        }
    }
    for (need, table) in &needs {
        // What one for the tenant covers needs no other.
        let wide = needs.iter().map(|(other, _)| other).find(|other| other.place.is_none() && other.covers(need));
        plan.add(wide.unwrap_or(need), table);
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, need: &Need, table: &str) {
        let found = self.subscriptions.iter_mut().find(|planned| planned.resource == need.resource);
        if let Some(planned) = found {
            if !planned.tables.iter().any(|own| own == table) {
                planned.tables.push(table.to_owned());
            }
            return;
        }
        self.subscriptions.push(Planned {
            resource: need.resource.clone(),
            change_type: need.family.change_types,
            tables: vec![table.to_owned()],
            scope: need.place.clone().unwrap_or_default(),
            permissions: need.family.permissions,
            quota: need.family.quota,
            max_minutes: MOST_MINUTES,
        });
    }
}

struct Need {
    resource: String,
    family: &'static Family,
    /// `None` for the whole tenant.
    place: Option<Place>,
}

impl Need {
    fn wide(resource: &str, family: &'static Family) -> Vec<Self> {
        vec![Self { resource: resource.to_owned(), family, place: None }]
    }

    fn covers(&self, other: &Self) -> bool {
        self.family.tables == other.family.tables
    }
}

/// One for each of a few places.
fn each(
    ids: &[String],
    family: &'static Family,
    resource: impl Fn(&str) -> String,
    place: impl Fn(String) -> Place,
) -> Vec<Need> {
    let need = |id: &String| Need { resource: resource(id), family, place: Some(place(id.clone())) };
    ids.iter().map(need).collect()
}

/// What a table's objects come by.
fn needs(table: &str, options: &TableOptions) -> Vec<Need> {
    let few = |ids: &[String], all: bool| !all && (1..=MOST_PLACES).contains(&ids.len());
    let team = |id: String| Place { team_id: Some(id), ..Place::default() };
    let chat = |id: String| Place { chat_id: Some(id), ..Place::default() };
    let user = |id: String| Place { user_id: Some(id), ..Place::default() };
    let teams = few(&options.team_ids, options.fetch_all_teams);
    let chats = few(&options.chat_ids, false);
    let users = few(&options.user_ids, options.fetch_all_users);
    match table {
        "messages" | "message_replies" => match options.team_ids.as_slice() {
            // Which team a channel is of is known only where there is one.
            [own] if teams && few(&options.channel_ids, options.fetch_all_channels) => {
                let resource = |id: &str| format!("/teams/{own}/channels/{id}/messages");
                let place = |id: String| Place { channel_id: Some(id), ..team(own.clone()) };
                each(&options.channel_ids, &offer::ONE_CHANNELS_MESSAGES, resource, place)
            }
            _ => Need::wide("/teams/getAllMessages", &offer::CHANNEL_MESSAGES),
        },
        "chat_messages" if chats => {
            each(&options.chat_ids, &offer::CHAT_MESSAGES, |id| format!("/chats/{id}/messages"), chat)
        }
        "chat_messages" if users => {
            each(&options.user_ids, &offer::CHAT_MESSAGES, |id| format!("/users/{id}/chats/getAllMessages"), user)
        }
        "chat_messages" => Need::wide("/chats/getAllMessages", &offer::CHAT_MESSAGES),
        "chats" if chats => each(&options.chat_ids, &offer::ONE_CHAT, |id| format!("/chats/{id}"), chat),
        "chats" if users => each(&options.user_ids, &offer::CHATS, |id| format!("/users/{id}/chats"), user),
        "chats" => Need::wide("/chats", &offer::CHATS),
        "teams" if teams => each(&options.team_ids, &offer::ONE_TEAM, |id| format!("/teams/{id}"), team),
        "teams" => Need::wide("/teams", &offer::TEAMS),
        "channels" if teams => each(&options.team_ids, &offer::CHANNELS, |id| format!("/teams/{id}/channels"), team),
        "channels" => Need::wide("/teams/getAllChannels", &offer::CHANNELS),
        "members" if teams => each(&options.team_ids, &offer::MEMBERS, |id| format!("/teams/{id}/members"), team),
        "members" => Need::wide("/teams/getAllMembers", &offer::MEMBERS),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change<'c> = &'c dyn Fn(&mut TableOptions);

    fn planned(tables: &[(&str, Change<'_>)]) -> Vec<(String, String)> {
        let wanted: Vec<_> = tables
            .iter()
            .map(|(table, change)| {
                let mut options = TableOptions::default();
                change(&mut options);
                Wanted { table: (*table).to_owned(), options, columns: None }
            })
            .collect();
        let plan = plan(&wanted).unwrap();
        plan.subscriptions.into_iter().map(|one| (one.resource, one.tables.join(" "))).collect()
    }

    fn all(options: &mut TableOptions) {
        (options.fetch_all_teams, options.fetch_all_channels) = (true, true);
    }

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(resource, tables)| ((*resource).to_owned(), (*tables).to_owned())).collect()
    }

    #[test]
    fn one_for_the_tenant_feeds_every_table_of_its_objects() {
        let tables: [(&str, Change<'_>); 4] =
            [("messages", &all), ("message_reactions", &all), ("message_replies", &all), ("chat_messages", &|_| ())];
        assert_eq!(
            planned(&tables),
            of(&[
                ("/teams/getAllMessages", "messages message_reactions message_replies"),
                ("/chats/getAllMessages", "chat_messages"),
            ])
        );
    }

    #[test]
    fn a_few_places_that_options_name_have_their_own() {
        let one = |options: &mut TableOptions| {
            options.team_ids = vec!["t".to_owned()];
            options.channel_ids = vec!["a".to_owned(), "b".to_owned()];
        };
        assert_eq!(
            planned(&[("messages", &one), ("channels", &one), ("teams", &one)]),
            of(&[
                ("/teams/t/channels/a/messages", "messages"),
                ("/teams/t/channels/b/messages", "messages"),
                ("/teams/t/channels", "channels"),
                ("/teams/t", "teams"),
            ])
        );
        assert_eq!(
            planned(&[("messages", &one), ("message_mentions", &all)]),
            of(&[("/teams/getAllMessages", "messages message_mentions")]),
            "what one for the tenant covers needs no other"
        );
        let many = |options: &mut TableOptions| {
            options.chat_ids = (0..=MOST_PLACES).map(|id| id.to_string()).collect();
        };
        assert_eq!(planned(&[("chat_messages", &many)]), of(&[("/chats/getAllMessages", "chat_messages")]));
        let people = |options: &mut TableOptions| options.user_ids = vec!["u".to_owned()];
        assert_eq!(
            planned(&[("chats", &people), ("chat_messages", &people)]),
            of(&[("/users/u/chats", "chats"), ("/users/u/chats/getAllMessages", "chat_messages")])
        );
    }

    #[test]
    fn tables_without_notifications_are_told() {
        let wanted = Wanted { table: "users".to_owned(), options: TableOptions::default(), columns: None };
        let plan = plan(&[wanted]).unwrap();
        assert_eq!((plan.subscriptions.len(), plan.not_pushed[0].table.as_str()), (0, "users"));
    }
}
