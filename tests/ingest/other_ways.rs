//! Where one way of reading is refused or fails each time, the other is taken, and the report says so.

use teams_base::error::Error;
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule, Mutation, Pages};

use crate::harness::*;

fn is_noted(reader: &Reader<'_>, text: &str) -> bool {
    reader.report().notes.iter().any(|note| note.contains(text))
}

#[tokio::test]
async fn pages_that_are_too_heavy_are_asked_for_in_a_smaller_size() {
    for (code, pages) in [(500, Pages::All), (502, Pages::First), (502, Pages::Linked), (504, Pages::All)] {
        let emulator = start(EmulatorConfig { teams: 1, messages_per_channel: 70, ..small() });
        for (path, above) in [("/messages", 10), ("/channels/getAllMessages", 50)] {
            emulator.fault(FaultRule { top_above: Some(above), pages, ..status(path, code) });
        }
        for strategy in ["auto", "channels", "delta"] {
            let options = join(ALL_MESSAGES, &[("strategy", strategy)]);
            let what = format!("{code} {pages:?} {strategy}");
            assert_every_door(&emulator, BOTH, &options, &what).await;
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
            reader.round().await;
            assert!(is_noted(&reader, "at a time"), "{what}: {:?}", reader.report().notes);
        }
    }
}

#[tokio::test]
async fn chats_whose_pages_are_too_heavy_are_read_too() {
    for pages in [Pages::First, Pages::Linked] {
        let emulator = start(EmulatorConfig { messages_per_chat: 70, ..small() });
        emulator.fault(FaultRule { top_above: Some(10), pages, ..status("GET /chats/{id}/messages", 502) });
        let options = join(ALL_CHATS, &[("strategy", "channels")]);
        assert_every_door(&emulator, &["chat_messages"], &options, &format!("{pages:?}")).await;
    }
}

#[tokio::test]
async fn a_page_that_fails_in_every_size_names_the_option() {
    let emulator = start(EmulatorConfig { teams: 1, ..small() });
    emulator.fault(status("GET /teams/{id}/channels/{id}/messages", 502));
    let error = Reader::messages(&emulator, &[("strategy", "channels")]).until_error().await;
    assert!(matches!(error, Error::Service(_)) && error.to_string().contains("top=5"), "{error}");
}

#[tokio::test]
async fn what_expand_is_refused_for_is_asked_for_by_itself() {
    let emulator =
        with_knobs(EmulatorConfig { teams: 2, channels_per_team: 2, messages_per_channel: 60, ..small() }, |knobs| {
            knobs.expand_refused = ["replies", "lastMessagePreview"].map(str::to_owned).into();
        });
    for strategy in ["auto", "channels", "delta"] {
        let options = [("strategy", strategy)];
        assert_every_door(&emulator, BOTH, &join(ALL_MESSAGES, &options), strategy).await;
        assert_every_door(&emulator, &["chat_messages"], &join(ALL_CHATS, &options), strategy).await;
    }
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    assert!(is_noted(&reader, "$expand=replies is refused"), "{:?}", reader.report().notes);
    emulator.mutate(&Mutation { advance_seconds: 7200, ..all_kinds(1) });
    emulator.clear_requests();
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_channel_whose_delta_ends_in_a_refusal_is_listed() {
    let emulator = with_knobs(small(), |knobs| knobs.empty_channel_delta_fails = true);
    let options = join(ALL_MESSAGES, &[("strategy", "delta")]);
    assert_every_door(&emulator, BOTH, &options, "an empty channel").await;
}

#[tokio::test]
async fn the_channels_of_a_team_whose_export_fails_are_listed() {
    for code in [409, 424, 500, 502, 504] {
        let emulator = start(small());
        let team = team_ids(&emulator)[1].clone();
        let emulator = with_knobs(small(), |knobs| knobs.export_refused_teams = [(team.clone(), code)].into());
        let pass = pass(BOTH, ALL_MESSAGES);
        let (found, failure) = read_once(&session(&emulator), &pass).await;
        assert!(failure.is_none(), "{code}: {failure:?}");
        let mut lake = Lakehouse::default();
        found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        assert_whole(&emulator, &lake, BOTH);
        let mut reader = Reader::messages(&emulator, &[]);
        reader.round().await;
        reader.assert_whole();
        assert!(is_noted(&reader, &team), "{code}: {:?}", reader.report().notes);
        let mut export = Reader::messages(&emulator, &[("strategy", "export")]);
        let error = export.until_error().await;
        assert!(error.to_string().contains(&team) && error.to_string().contains("strategy=auto"), "{error}");
    }
}

#[tokio::test]
async fn a_401_of_one_export_is_a_refusal_of_that_export() {
    for (tables, path, options) in [
        (BOTH, "/teams/{id}/channels/getAllMessages", ALL_MESSAGES),
        (&["chat_messages"][..], "/users/{id}/chats/getAllMessages", ALL_CHATS),
    ] {
        let emulator = start(small());
        let ids = if tables == BOTH { team_ids(&emulator) } else { user_ids(&emulator) };
        emulator.fault(fault(&path.replace("{id}", &ids[1]), FaultKind::ServicePrincipalDisabled));
        assert_every_door(&emulator, tables, options, path).await;
    }
}

/// No token of the application has been accepted yet, so that only the answer tells whose refusal it is.
#[tokio::test]
async fn a_401_of_the_first_thing_that_is_asked_for_is_its_own_too() {
    let emulator = start(small());
    let users = user_ids(&emulator);
    let chats = format!("/users/{}/chats", users[0]);
    emulator.fault(fault(&chats, FaultKind::ServicePrincipalDisabled));
    let named = [("user_id", users[0].as_str())];
    let (_, failure) = read_once(&session(&emulator), &pass(&["chats"], &named)).await;
    let error = failure.unwrap();
    assert!(matches!(error, Error::PermissionDenied(_)) && error.status() == Some(401), "{error}");
    assert!(error.to_string().contains("disabled for this user or tenant"), "{error}");
    let both = [("user_id", &*format!("{},{}", users[0], users[1]))];
    let (found, failure) = read_once(&session(&emulator), &pass(&["chats"], &both)).await;
    assert!(failure.is_some_and(|error| !error.ends_run()) && !found.is_empty(), "the other user is read");
}

#[tokio::test]
async fn a_snapshot_says_why_on_forbidden_does_not_help_against_a_401() {
    let emulator = start(small());
    let team = team_ids(&emulator)[1].clone();
    emulator.fault(fault(&format!("/teams/{team}/members"), FaultKind::ServicePrincipalDisabled));
    let options = [("fetch_all_teams", "true"), ("on_forbidden", "skip")];
    let (_, failure) = read_once(&session(&emulator), &pass(&["members"], &options)).await;
    let text = failure.unwrap().to_string();
    assert!(text.contains("on_forbidden=skip does not apply") && text.contains("disabled for this user"), "{text}");
}
