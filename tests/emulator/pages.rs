//! Pages that do not follow one another as they should: circles, repeated items, lists that are empty for a moment.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule, Pages};

use crate::client::{Client, ids, small, start, text};

fn rule(path: &str, kind: FaultKind) -> FaultRule {
    FaultRule { path: path.to_owned(), kind, ..FaultRule::default() }
}

/// One list of each way of paging, all of more than one page.
async fn lists() -> (Client, Vec<String>) {
    let client = start(small()).await;
    client.emulator.set(|knobs| {
        knobs.list_page = 1;
        knobs.directory_delta_page = 4;
    });
    let (team, channels) = client.team(0);
    let user = text(&client.emulator.truth("chat_members")[0], "userId");
    let meetings = text(&client.emulator.truth("online_meeting_transcripts")[1], "user_id");
    let tags = client.emulator.truth("team_tags");
    let two_tags = tags.windows(2).find(|pair| pair[0]["team_id"] == pair[1]["team_id"]).expect("a team with two tags");
    let organizer = format!("$filter=MeetingOrganizer/User/Id eq '{meetings}'");
    let lists = vec![
        "/teams?$top=2".to_owned(),
        "/users?$top=7".to_owned(),
        "/users/delta".to_owned(),
        "/groups/delta?$select=displayName".to_owned(),
        format!("/teams/{team}/channels"),
        format!("/teams/{team}/members?$top=5"),
        format!("/teams/{}/tags", text(&two_tags[0], "team_id")),
        format!("/teams/{team}/channels/{}/messages?$top=10&$expand=replies", channels[0]),
        format!("/teams/{team}/channels/{}/messages/delta?$top=5", channels[0]),
        format!("/teams/{team}/channels/getAllMessages?$top=50"),
        format!("/users/{user}/chats?$top=1"),
        format!("/users/{user}/chats/getAllMessages?$top=10"),
        format!("/users/{user}/chats/getAllMessages/delta?$top=10"),
        "/communications/callRecords".to_owned(),
        format!("/users/{meetings}/onlineMeetings/getAllTranscripts?{organizer}"),
    ];
    (client, lists)
}

/// The links of as many pages as asked for; the last of them may be absent.
async fn links(client: &Client, first: &str, pages: usize) -> Vec<String> {
    let mut links = vec![client.url(first)];
    while links.len() <= pages {
        let body = client.ok(links.last().unwrap()).await;
        assert!(body.get("@odata.deltaLink").is_none(), "{first} ends");
        links.push(text(&body, "@odata.nextLink"));
    }
    links
}

#[tokio::test]
async fn links_lead_in_circles_of_every_length() {
    let (client, lists) = lists().await;
    for length in [1, 2, 3] {
        client.emulator.clear_faults();
        client.emulator.fault(FaultRule { length, ..rule("", FaultKind::LinkCircle) });
        for list in &lists {
            let length = length as usize;
            // The first link is written by the test, the others by the server.
            let links = links(&client, list, 3 * length).await.split_off(length);
            assert_eq!(links[..=length], links[length..], "{list}");
            assert_eq!(links.iter().collect::<BTreeSet<_>>().len(), length, "{list}");
        }
    }
}

#[tokio::test]
async fn a_circle_of_linked_pages_holds_the_items_of_these() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages?$top=10", channels[0]);
    let whole = ids(&client.rows(&path).await);
    client.emulator.fault(FaultRule { pages: Pages::Linked, ..rule("/messages", FaultKind::LinkCircle) });
    let links = links(&client, &path, 4).await;
    assert_eq!(links[1..3], links[3..5]);
    for (page, link) in links[..3].iter().enumerate() {
        assert_eq!(ids(client.ok(link).await["value"].as_array().unwrap()), whole[10 * page..10 * page + 10]);
    }
    // Plain `$skip` works the same.
    client.emulator.set(|knobs| knobs.export_paging = teams_emulator::ExportPaging::Skip);
    client.emulator.clear_faults();
    client.emulator.fault(rule("getAllMessages", FaultKind::LinkCircle));
    let links = self::links(&client, &format!("/teams/{team}/channels/getAllMessages?$top=50"), 4).await;
    assert!(links[0] == links[2] && links[1].contains("$skip=50"));
}

#[tokio::test]
async fn the_last_items_of_a_page_come_again_on_the_next() {
    let (client, lists) = lists().await;
    for list in &lists {
        client.emulator.clear_faults();
        let (whole, pages, _) = client.crawl(list).await;
        assert!(pages > 1, "{list}");
        client.emulator.fault(rule("", FaultKind::RepeatItems));
        let (rows, again, _) = client.crawl(list).await;
        assert_eq!((rows.len(), again), (whole.len() + pages - 1, pages), "{list}");
        let mut once = rows.clone();
        once.dedup();
        assert_eq!(once, whole, "{list}");
    }
    client.emulator.clear_faults();
    client.emulator.fault(FaultRule { items: 3, ..rule("/users", FaultKind::RepeatItems) });
    let rows = ids(&client.rows("/users?$top=10").await);
    assert_eq!((rows.len(), &rows[7..10]), (23, &rows[10..13]));
}

#[tokio::test]
async fn a_list_is_empty_null_or_absent_for_a_moment() {
    let (client, lists) = lists().await;
    for list in &lists {
        for (kind, value) in [
            (FaultKind::EmptyList, Some(json!([]))),
            (FaultKind::NullValue, Some(Value::Null)),
            (FaultKind::NoValue, None),
        ] {
            client.emulator.fault(FaultRule { times: Some(2), ..rule("", kind) });
            for _ in 0..2 {
                let body = client.ok(list).await;
                assert_eq!(body.get("value"), value.as_ref(), "{list}");
                assert!(body.get("@odata.nextLink").is_none());
            }
            assert!(!client.ok(list).await["value"].as_array().unwrap().is_empty(), "{list}");
        }
    }
}

#[tokio::test]
async fn lists_without_a_top_page_as_the_knob_says() {
    let client = start(EmulatorConfig { channels_per_team: 5, ..small() }).await;
    client.emulator.set(|knobs| knobs.list_page = 2);
    let (team, channels) = client.team(0);
    let (rows, pages, _) = client.crawl(&format!("/teams/{team}/channels")).await;
    assert_eq!((ids(&rows), pages), (channels, 3));
}
