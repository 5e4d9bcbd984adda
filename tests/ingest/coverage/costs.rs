//! How many requests a table may cost: one per parent and page, and the lists that find the parents.

use std::collections::BTreeMap;

use teams_tables::Parent;

use super::compare::*;
use crate::harness::*;

#[tokio::test]
async fn a_list_costs_one_request_per_parent() {
    let emulator = tenant();
    let (teams, channels) = (team_ids(&emulator).len(), channel_ids(&emulator));
    let shared = channels.iter().filter(|(.., membership)| membership == "shared").count();
    let count = |table: &str| emulator.truth(table).len();
    let (users, chats, groups) = (count("users"), count("chats"), count("groups"));
    let (tags, threads) = (count("team_tags"), count("conversation_threads"));
    for (table, list) in lists().filter(|(table, _)| !matches!(table.name, "schedules" | "shifts")) {
        emulator.clear_requests();
        assert_whole_table(&emulator, table.name, &options(list.parent)).await;
        let mut wanted = BTreeMap::new();
        let mut expect =
            |template: &'static str, requests: usize| wanted.insert(format!("GET {template}"), requests as u64);
        match list.parent {
            Parent::Tenant => expect(list.endpoint.template, 1),
            Parent::Team => {
                expect("/teams", 1);
                expect(list.endpoint.template, teams)
            }
            Parent::Channel | Parent::SharedChannel => {
                expect("/teams", 1);
                expect("/teams/{id}/channels", teams);
                expect(list.endpoint.template, if list.parent == Parent::Channel { channels.len() } else { shared })
            }
            // Each chat once, though each has several members.
            Parent::Chat => {
                expect("/users", 1);
                expect("/users/{id}/chats", users);
                expect(list.endpoint.template, chats)
            }
            Parent::User => {
                expect("/users", 1);
                expect(list.endpoint.template, users)
            }
            Parent::Group | Parent::MailGroup => {
                expect("/groups", 1);
                expect(list.endpoint.template, groups)
            }
            Parent::Item(above) if above.parent == Parent::Team => {
                expect("/teams", 1);
                expect(above.endpoint.template, teams);
                expect(list.endpoint.template, tags)
            }
            Parent::Item(above) => {
                expect("/groups", 1);
                expect(above.endpoint.template, groups);
                expect(list.endpoint.template, threads)
            }
        };
        let used: BTreeMap<_, _> =
            emulator.request_counts().into_iter().filter(|(name, _)| name.starts_with("GET ")).collect();
        assert_eq!(used, wanted, "{}", table.name);
    }
}
