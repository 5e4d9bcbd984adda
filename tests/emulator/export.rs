use std::collections::BTreeSet;

use serde_json::Value;
use teams_emulator::{EmulatorConfig, ExportOrder, ExportPaging, Mutation};

use crate::client::{Client, ids, small, start, text};

fn of_team(client: &Client, team: &str) -> Vec<Value> {
    let mut rows = client.emulator.truth("messages");
    rows.extend(client.emulator.truth("message_replies"));
    rows.retain(|row| row["team_id"] == team);
    rows
}

fn stamp(row: &Value) -> jiff::Timestamp {
    text(row, "lastModifiedDateTime").parse().unwrap()
}

fn keys(rows: &[Value]) -> BTreeSet<(String, String)> {
    rows.iter().map(|row| (text(&row["channelIdentity"], "channelId"), text(row, "id"))).collect()
}

#[tokio::test]
async fn an_export_is_flat_and_complete_in_every_order_and_paging() {
    let client = start(small()).await;
    let (team, _) = client.team(0);
    let truth = of_team(&client, &team);
    for order in [ExportOrder::Stored, ExportOrder::Modified, ExportOrder::ModifiedDesc] {
        for paging in [ExportPaging::Token, ExportPaging::Skip] {
            client.emulator.set(|knobs| {
                knobs.export_order = order;
                knobs.export_paging = paging;
            });
            let (rows, pages, _) = client.crawl(&format!("/teams/{team}/channels/getAllMessages?$top=100")).await;
            assert_eq!(rows.len(), truth.len());
            assert_eq!(pages, truth.len().div_ceil(100));
            assert_eq!(keys(&rows), keys(&truth));
            let sorted = rows.windows(2).all(|pair| stamp(&pair[0]) <= stamp(&pair[1]));
            assert_eq!(sorted, order == ExportOrder::Modified);
            assert!(rows.iter().all(|row| row["@odata.type"] == "#microsoft.graph.chatMessage"));
        }
    }
    assert_eq!(client.get(&format!("/teams/{team}/channels/getAllMessages?$top=251")).await.status, 400);
    let first = client.ok(&format!("/teams('{team}')/channels/getallMessages")).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 50, "key form and any case are understood");
}

#[tokio::test]
async fn the_filter_is_a_range_of_modification_times_and_nothing_else() {
    let client = start(small()).await;
    let (team, _) = client.team(0);
    let path = format!("/teams/{team}/channels/getAllMessages");
    let truth = of_team(&client, &team);
    let mut times: Vec<_> = truth.iter().map(stamp).collect();
    times.sort();
    let (low, high) = (times[times.len() / 4], times[times.len() / 2]);
    for (filter, expected) in [
        (
            format!("lastModifiedDateTime gt {low} and lastModifiedDateTime lt {high}"),
            times.iter().filter(|at| **at > low && **at < high).count(),
        ),
        (
            format!("lastModifiedDateTime ge {low} and lastModifiedDateTime le {high}"),
            times.iter().filter(|at| **at >= low && **at <= high).count(),
        ),
        (format!("lastModifiedDateTime gt {high}"), times.iter().filter(|at| **at > high).count()),
    ] {
        assert_eq!(client.rows(&format!("{path}?$top=50&$filter={filter}")).await.len(), expected, "{filter}");
    }
    let reply = client.get(&format!("{path}?$filter=channelIdentity/channelId eq 'x'")).await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.body["error"]["message"],
        "The entity property 'channelIdentity/channelId' and operationKind 'Equal' is not allowed in $filter query."
    );
    for option in ["$select=id", "$orderby=id", "$expand=replies", "$filter=nonsense"] {
        assert_eq!(client.get(&format!("{path}?{option}")).await.status, 400, "{option}");
    }
}

#[tokio::test]
async fn a_lagging_export_shows_what_was() {
    let client = start(small()).await;
    let (team, _) = client.team(0);
    let scope = Mutation { team_id: Some(team.clone()), ..Mutation::default() };
    client.emulator.set(|knobs| knobs.export_lag_seconds = 3600);
    client.emulator.advance(7200);
    let changed = client.emulator.mutate(&Mutation { edits: 3, new_messages: 2, ..scope });
    let path = format!("/teams/{team}/channels/getAllMessages?$top=250");
    let find = |rows: &[Value], id: &str, channel: &str| {
        rows.iter().find(|row| row["id"] == id && row["channelIdentity"]["channelId"] == channel).cloned()
    };
    let rows = client.rows(&path).await;
    for edit in changed.of("edits") {
        let row = find(&rows, &edit.id, edit.channel_id.as_deref().unwrap()).expect("the old version");
        assert!(!row["body"]["content"].as_str().unwrap().contains("edited near"));
    }
    for new in changed.of("new_messages") {
        assert!(find(&rows, &new.id, new.channel_id.as_deref().unwrap()).is_none());
    }
    client.emulator.advance(3601);
    let rows = client.rows(&path).await;
    for edit in changed.of("edits") {
        let row = find(&rows, &edit.id, edit.channel_id.as_deref().unwrap()).unwrap();
        assert!(row["body"]["content"].as_str().unwrap().contains("edited near"));
    }
    assert!(
        changed.of("new_messages").iter().all(|new| find(&rows, &new.id, new.channel_id.as_deref().unwrap()).is_some())
    );
}

/// Plain `$skip` counts over the rows that match now.
#[tokio::test]
async fn skip_paging_loses_a_row_when_one_leaves_the_window() {
    let client = start(EmulatorConfig { empty_channel: false, ..small() }).await;
    let (team, _) = client.team(0);
    for (paging, lost) in [(ExportPaging::Token, false), (ExportPaging::Skip, true)] {
        client.emulator.set(|knobs| {
            knobs.export_paging = paging;
            knobs.export_order = ExportOrder::Modified;
        });
        let until = client.emulator.now();
        let path = format!("/teams/{team}/channels/getAllMessages?$top=50&$filter=lastModifiedDateTime lt {until}");
        let before = keys(&client.rows(&path).await);
        let first = client.ok(&path).await;
        let mut seen = keys(first["value"].as_array().unwrap());
        // An edit takes its message out of the window, for rows of the first page with high probability.
        let touched = client.emulator.mutate(&Mutation {
            edits: 40,
            team_id: Some(team.clone()),
            advance_seconds: 1,
            ..Mutation::default()
        });
        let moved: BTreeSet<String> = touched.of("edits").iter().map(|edit| edit.id.clone()).collect();
        let rest = client.rows(first["@odata.nextLink"].as_str().unwrap()).await;
        seen.extend(keys(&rest));
        let missing = before.iter().filter(|(_, id)| !moved.contains(id)).any(|key| !seen.contains(key));
        assert_eq!(missing, lost, "{paging:?}");
    }
}

#[tokio::test]
async fn an_export_can_be_refused_for_all_or_for_one() {
    let client = start(small()).await;
    let ((one, _), (other, channels)) = (client.team(0), client.team(1));
    let path = |team: &str| format!("/teams/{team}/channels/getAllMessages");
    client.emulator.set(|knobs| {
        knobs.export_refused_teams.insert(one.clone(), 403);
    });
    assert_eq!(client.get(&path(&one)).await.status, 403);
    assert_eq!(client.get(&path(&other)).await.status, 200);
    client.emulator.set(|knobs| knobs.export_refused = 402);
    assert_eq!(client.get(&path(&other)).await.status, 402);
    client.emulator.set(|knobs| {
        knobs.export_refused = 0;
        knobs.export_private_channels = false;
    });
    let rows = client.rows(&path(&other)).await;
    assert!(!rows.is_empty() && rows.iter().all(|row| row["channelIdentity"]["channelId"] != channels[1].as_str()));
    assert_eq!(ids(&client.rows(&format!("/teams/{other}/channels/getAllRetainedMessages")).await), ids(&rows));
}
