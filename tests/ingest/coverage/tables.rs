//! Each table as it should be.

use std::collections::BTreeSet;

use serde_json::json;
use teams_emulator::{FaultKind, FaultRule, Mutation};
use teams_tables::{Parent, Shape, find};

use super::compare::*;
use crate::harness::*;

#[tokio::test]
async fn every_list_equals_the_truth() {
    let emulator = tenant();
    for (table, list) in lists() {
        assert_whole_table(&emulator, table.name, &options(list.parent)).await;
    }
}

#[tokio::test]
async fn every_list_is_whole_when_it_comes_in_small_pages() {
    let emulator = tenant();
    emulator.set(|knobs| knobs.list_page = 1);
    for (table, list) in lists() {
        emulator.clear_requests();
        assert_whole_table(&emulator, table.name, &join(&options(list.parent), &[("top", "1")])).await;
        let requests = emulator.requests();
        let own: Vec<_> = requests.iter().filter(|request| request.template == list.endpoint.template).collect();
        // One object; and teams here have one incoming channel, groups one owner.
        let is_paged = !matches!(table.name, "schedules" | "incoming_channels" | "group_owners");
        assert_eq!(own.iter().any(|request| request.query.contains("$skiptoken")), is_paged, "{}", table.name);
        let says_top = own.iter().any(|request| request.query.contains("top="));
        assert_eq!(says_top, list.top.is_some(), "{}: $top goes only where it is documented", table.name);
    }
}

/// What pages while it changes may come twice.
#[tokio::test]
async fn an_item_on_two_pages_is_one_row() {
    let emulator = tenant();
    emulator.set(|knobs| knobs.list_page = 2);
    for (table, list) in lists().filter(|(_, list)| list.shape == Shape::Items) {
        // Lists of channels come in one page.
        if matches!(table.name, "channels" | "incoming_channels") {
            continue;
        }
        emulator.clear_faults();
        emulator.fault(FaultRule { times: Some(3), ..fault(list.endpoint.template, FaultKind::Repeat) });
        assert_whole_table(&emulator, table.name, &join(&options(list.parent), &[("top", "2")])).await;
    }
}

#[tokio::test]
async fn a_step_is_the_whole_snapshot_and_leaves_no_offset() {
    let emulator = tenant();
    for (table, list) in lists() {
        let mut reader = Reader::new(&emulator, &[table.name], &options(list.parent));
        assert!(reader.step().await.unwrap(), "{}", table.name);
        assert_eq!(reader.offset.as_deref(), Some("{}"), "{}", table.name);
        assert_eq!(reader.lake.keys(table.name), truth_of(&emulator, table.name).into_keys().collect());
    }
}

/// Spark divides a read by its scopes; together they give each row once.
#[tokio::test]
async fn the_shares_of_a_read_add_up_to_the_whole() {
    let emulator = tenant();
    for (table, list) in lists() {
        let whole = pass(&[table.name], &options(list.parent));
        let scopes = session(&emulator).scopes(&whole).await.unwrap();
        let is_divided = !matches!(list.parent, Parent::Tenant | Parent::Chat);
        assert_eq!(scopes.len() > 1, is_divided, "{}: {scopes:?}", table.name);
        if !is_divided {
            continue;
        }
        let mut rows = Vec::new();
        for share in scopes.chunks(2) {
            let share = teams_ingest::Pass { scopes: Some(share.to_vec()), ..whole.clone() };
            let (found, failure) = read_once(&session(&emulator), &share).await;
            assert!(failure.is_none(), "{}: {failure:?}", table.name);
            rows.extend(found);
        }
        assert_rows(table.name, rows_of(table.name, &rows), truth_of(&emulator, table.name));
    }
}

#[tokio::test]
async fn include_raw_holds_each_item_as_it_was_sent() {
    let emulator = tenant();
    for (table, list) in lists() {
        let pass = pass(&[table.name], &join(&options(list.parent), &[("include_raw", "true")]));
        let (rows, failure) = read_once(&session(&emulator), &pass).await;
        assert!(failure.is_none() && !rows.is_empty(), "{}: {failure:?}", table.name);
        for (_, row) in &rows {
            let raw: serde_json::Value = serde_json::from_str(row["_raw"].as_str().unwrap()).unwrap();
            assert_eq!(raw["id"], row["id"], "{}", table.name);
        }
    }
}

#[tokio::test]
async fn named_parents_are_the_only_ones_read() {
    let emulator = tenant();
    let (team, channel, _) = channel_ids(&emulator)[0].clone();
    let first = |table: &str, column: &str| emulator.truth(table)[0][column].as_str().unwrap().to_owned();
    let (chat, user, group) = (first("chats", "id"), first("users", "id"), first("groups", "id"));
    for (name, options, column) in [
        ("team_apps", vec![("team_id", team.as_str())], "team_id"),
        ("team_tag_members", vec![("team_id", &team)], "team_id"),
        ("channel_members", vec![("team_id", &team), ("channel_id", &channel)], "channel_id"),
        ("chat_members", vec![("chat_id", &chat)], "chat_id"),
        ("user_apps", vec![("user_id", &user)], "user_id"),
        ("group_members", vec![("group_id", &group)], "group_id"),
        ("conversation_posts", vec![("group_id", &group)], "group_id"),
        ("group_owners", vec![("team_id", &team)], "group_id"),
    ] {
        let (rows, failure) = read_once(&session(&emulator), &pass(&[name], &options)).await;
        assert!(failure.is_none(), "{name}: {failure:?}");
        let parents: BTreeSet<_> = options.iter().map(|(_, id)| json!(id)).map(|id| id.to_string()).collect();
        let mut truth = truth_of(&emulator, name);
        truth.retain(|_, row| parents.contains(&row[column].to_string()));
        assert_rows(name, rows_of(name, &rows), truth);
    }
}

#[tokio::test]
async fn groups_of_teams_are_read_by_the_teams_options() {
    let emulator = tenant();
    for name in ["group_members", "conversation_threads"] {
        let (rows, failure) = read_once(&session(&emulator), &pass(&[name], &[("fetch_all_teams", "true")])).await;
        assert!(failure.is_none(), "{name}: {failure:?}");
        let teams = team_ids(&emulator);
        let mut truth = truth_of(&emulator, name);
        truth.retain(|_, row| teams.iter().any(|team| row["group_id"] == json!(team)));
        assert_rows(name, rows_of(name, &rows), truth);
    }
}

#[tokio::test]
async fn members_of_a_group_keep_their_kind() {
    let emulator = tenant();
    let kinds: BTreeSet<_> =
        truth_of(&emulator, "group_members").into_values().map(|row| row["odata_type"].to_string()).collect();
    assert!(kinds.len() > 3, "{kinds:?}");
}

#[tokio::test]
async fn an_incoming_channel_names_its_host() {
    let emulator = tenant();
    let (rows, _) = read_once(&session(&emulator), &pass(&["incoming_channels"], &[("fetch_all_teams", "true")])).await;
    let hosts: BTreeSet<String> = channel_ids(&emulator).into_iter().map(|(team, ..)| team).collect();
    for (_, row) in &rows {
        let host = row["odata_id"].as_str().unwrap();
        assert!(hosts.iter().any(|team| host.contains(&format!("/teams/{team}/channels/"))), "{host}");
        assert!(!host.contains(&format!("/teams/{}/", row["team_id"].as_str().unwrap())), "{host}");
    }
    assert!(!rows.is_empty());
}

#[tokio::test]
async fn what_changes_shows_in_the_next_snapshot() {
    let emulator = tenant();
    let change = Mutation { member_removes: 3, deleted_teams: 1, new_channels: 2, ..Mutation::default() };
    emulator.mutate(&change);
    for name in ["channel_members", "group_members", "channel_tabs", "deleted_teams", "team_tags"] {
        let teams_tables::Reading::List(list) = find(name).unwrap().reading else { unreachable!() };
        assert_whole_table(&emulator, name, &options(list.parent)).await;
    }
}
