//! What is refused, gone or not permitted.

use serde_json::Value;
use teams_base::error::Error;
use teams_emulator::{Emulator, FaultKind, FaultRule};
use teams_tables::{List, Parent};

use super::compare::*;
use crate::harness::*;

async fn failure(emulator: &Emulator, name: &str, options: &[(&str, &str)]) -> Option<Error> {
    read_once(&session(emulator), &pass(&[name], options)).await.1
}

#[tokio::test]
async fn a_refused_list_fails_the_snapshot_and_names_the_permission() {
    let emulator = tenant();
    for (table, list) in lists() {
        for policy in ["fail", "skip"] {
            emulator.clear_faults();
            emulator.fault(status(list.endpoint.template, 403));
            let options = join(&options(list.parent), &[("on_forbidden", policy)]);
            let error = failure(&emulator, table.name, &options).await.unwrap();
            let said = error.to_string();
            assert!(matches!(error, Error::PermissionDenied(_)), "{}: {said}", table.name);
            assert!(said.contains(list.endpoint.permission), "{}: {said}", table.name);
            assert!(said.contains(list.prerequisites), "{}: {said}", table.name);
            // One list of the tenant is no discovered scope.
            let explains = policy == "skip" && list.parent != Parent::Tenant;
            assert_eq!(said.contains("on_forbidden=skip does not apply"), explains, "{}: {said}", table.name);
        }
    }
}

#[tokio::test]
async fn the_declared_permissions_are_enough_and_none_is_too_many() {
    let emulator = tenant();
    for (table, list) in lists() {
        emulator.set(|knobs| knobs.roles = table.permissions().iter().map(ToString::to_string).collect());
        assert_whole_table(&emulator, table.name, &options(list.parent)).await;
        for needed in table.permissions() {
            emulator.set(|knobs| {
                knobs.roles = table.permissions().iter().filter(|p| **p != needed).map(ToString::to_string).collect();
            });
            let error = failure(&emulator, table.name, &options(list.parent)).await;
            // The teams are found among the groups where `/teams` is refused, which needs a permission as well.
            assert!(matches!(error, Some(Error::PermissionDenied(_))), "{} without {needed}: {error:?}", table.name);
        }
    }
}

/// A parent's path, cut behind its ids.
fn path_of(list: &List, row: &Value) -> String {
    let columns: &[&str] = match list.parent {
        Parent::Tenant => return list.endpoint.template.to_owned(),
        Parent::Team => &["team_id"],
        Parent::Channel | Parent::SharedChannel => &["team_id", "channel_id"],
        Parent::Chat => &["chat_id"],
        Parent::User => &["user_id"],
        Parent::Group | Parent::MailGroup => &["group_id"],
        Parent::Item(above) if above.parent == Parent::Team => &["team_id", "tag_id"],
        Parent::Item(_) => &["group_id", "thread_id"],
    };
    let ids = columns.iter().map(|column| row[*column].as_str().unwrap());
    let mut path = list.endpoint.template.to_owned();
    ids.for_each(|id| path = path.replacen("{id}", id, 1));
    path
}

#[tokio::test]
async fn a_discovered_parent_that_is_gone_is_asked_twice_and_left_out() {
    for (table, list) in lists().filter(|(_, list)| list.parent != Parent::Tenant) {
        let emulator = tenant();
        let truth = emulator.truth(table.name);
        let path = path_of(list, &truth[0]);
        emulator.fault(status(&path, 404));
        let session = session(&emulator);
        let (rows, failure) = read_once(&session, &pass(&[table.name], &options(list.parent))).await;
        assert!(failure.is_none(), "{}: {failure:?}", table.name);
        let mut left = truth_of(&emulator, table.name);
        let lost: Vec<String> =
            truth.iter().filter(|row| path_of(list, row) == path).map(|row| key(table.name, row)).collect();
        left.retain(|key, _| !lost.contains(key));
        assert_rows(table.name, rows_of(table.name, &rows), left);
        let report = session.report().snapshot();
        let mut gone = 1;
        if list.endpoint.template.contains("/schedule") {
            // Teams without a schedule are left out as well.
            gone += team_ids(&emulator).len() - emulator.truth("schedules").len();
        }
        assert_eq!(report.skipped_count as usize, gone, "{}: {:?}", table.name, report.skipped);
        let requests = emulator.requests();
        let refused = requests.iter().filter(|request| request.status == 404);
        assert!(refused.clone().all(|request| request.template == list.endpoint.template), "{}", table.name);
        assert_eq!(refused.count(), 2 * gone, "{}", table.name);
    }
}

#[tokio::test]
async fn a_named_parent_that_is_gone_is_an_error() {
    let emulator = tenant();
    let (team, ..) = channel_ids(&emulator)[0].clone();
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (table, list) in lists() {
        let options = match list.parent {
            Parent::Tenant => continue,
            Parent::Team => vec![("team_id", nobody)],
            Parent::Channel | Parent::SharedChannel => {
                vec![("team_id", team.as_str()), ("channel_id", "19:gone@thread.tacv2")]
            }
            Parent::Chat => vec![("chat_id", "19:gone@thread.v2")],
            Parent::User => vec![("user_id", nobody)],
            Parent::Item(above) if above.parent == Parent::Team => vec![("team_id", nobody)],
            Parent::Group | Parent::MailGroup | Parent::Item(_) => vec![("group_id", nobody)],
        };
        emulator.clear_requests();
        let error = failure(&emulator, table.name, &options).await.unwrap();
        assert!(matches!(error, Error::NotFound(_)), "{}: {error}", table.name);
        let asked = emulator.requests().iter().filter(|request| request.status == 404).count();
        assert_eq!(asked, 1, "{}: what is named is not asked for twice", table.name);
    }
}

#[tokio::test]
async fn a_list_that_fails_part_way_fails_the_snapshot() {
    let emulator = tenant();
    emulator.set(|knobs| knobs.list_page = 1);
    for (name, template) in
        [("channel_tabs", "/teams/{id}/channels/{id}/tabs"), ("chat_members", "/chats/{id}/members")]
    {
        emulator.clear_faults();
        emulator.fault(FaultRule { path: template.into(), skip: 4, ..status(template, 500) });
        let (_, list) = lists().find(|(table, _)| table.name == name).unwrap();
        let error = failure(&emulator, name, &options(list.parent)).await.unwrap();
        assert!(matches!(error, Error::Service(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_link_of_a_list_to_another_host_is_never_followed() {
    let emulator = tenant();
    emulator.fault(fault("/installedApps", FaultKind::ForeignLink));
    for name in ["team_apps", "chat_apps", "user_apps"] {
        let (_, list) = lists().find(|(table, _)| table.name == name).unwrap();
        let error = failure(&emulator, name, &options(list.parent)).await.unwrap();
        assert!(matches!(error, Error::Protocol(_)), "{name}: {error}");
    }
}

/// Lists of posts have been seen to end at 100 without a link: nobody can tell, and so it is told.
#[tokio::test]
async fn a_list_that_may_have_been_cut_is_reported() {
    let emulator = tenant();
    for (posts, is_told) in [(99, false), (100, true), (101, false)] {
        emulator.set(|knobs| (knobs.posts_per_thread, knobs.list_page) = (posts, 150));
        let session = session(&emulator);
        let pass = pass(&["conversation_posts"], &[("fetch_all_groups", "true")]);
        let (rows, failure) = read_once(&session, &pass).await;
        assert!(failure.is_none(), "{failure:?}");
        assert_rows(
            "conversation_posts",
            rows_of("conversation_posts", &rows),
            truth_of(&emulator, "conversation_posts"),
        );
        let notes = session.report().snapshot().notes;
        assert_eq!(notes.iter().any(|note| note.contains("gave 100 items and no further page")), is_told, "{notes:?}");
    }
}

/// Where `/users` is refused, the members of the teams are not everyone.
#[tokio::test]
async fn a_snapshot_of_some_users_is_an_error() {
    let emulator = tenant();
    emulator.fault(status("GET /users", 403));
    for name in ["user_apps", "chat_members", "chat_tabs"] {
        let error = failure(&emulator, name, ALL_CHATS).await.unwrap();
        assert!(matches!(error, Error::PermissionDenied(_)), "{name}: {error}");
    }
}
