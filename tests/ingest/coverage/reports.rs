//! Usage reports: CSV files on another host, behind links that are secrets.

use serde_json::Value;
use teams_base::error::Error;
use teams_emulator::{Emulator, FaultKind, FaultRule};
use teams_ingest::Session;

use super::compare::*;
use crate::harness::*;

const TABLE: &str = "team_device_usage_report";

async fn read(session: &Session, options: &[(&str, &str)]) -> (Vec<(&'static str, Value)>, Option<Error>) {
    read_once(session, &pass(&[TABLE], options)).await
}

fn files(emulator: &Emulator) -> usize {
    emulator.requests().iter().filter(|request| request.template == "/reports/download").count()
}

#[tokio::test]
async fn the_report_equals_the_truth_and_costs_two_requests() {
    let emulator = tenant();
    emulator.clear_requests();
    assert_whole_table(&emulator, TABLE, &[]).await;
    let requests = emulator.requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.template.as_str()).collect();
    assert_eq!(paths, ["/{tenant}/oauth2/v2.0/token", "/reports/getTeamsDeviceUsageUserDetail", "/reports/download"]);
}

/// The store refuses whoever brings a token along, so that an answer proves that none came; and it was reached by a name
/// that is not Graph's.
#[tokio::test]
async fn the_token_does_not_travel_to_the_file() {
    let emulator = tenant();
    let (rows, failure) = read(&session(&emulator), &[]).await;
    assert!(failure.is_none() && !rows.is_empty(), "{failure:?}");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = emulator.requests().into_iter().find(|request| request.template == "/reports/download").unwrap();
    assert!(request.client_request_id.is_none() && request.prefer.is_none(), "{request:?}");
    let file = http.get(format!("{}{}", emulator.url(), request.path));
    assert_eq!(file.try_clone().unwrap().send().await.unwrap().status(), 200);
    assert_eq!(file.bearer_auth("a token").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_period_is_an_option() {
    let emulator = tenant();
    let (rows, failure) = read(&session(&emulator), &[("report_period", "D30")]).await;
    assert!(failure.is_none(), "{failure:?}");
    assert!(!rows.is_empty() && rows.iter().all(|(_, row)| row["reportPeriod"] == "30"));
}

#[tokio::test]
async fn a_refused_report_names_the_permission() {
    let emulator = tenant();
    emulator.set(|knobs| {
        knobs.roles.remove("Reports.Read.All");
    });
    let (_, failure) = read(&session(&emulator), &[]).await;
    let said = failure.unwrap().to_string();
    assert!(said.contains("Reports.Read.All"), "{said}");
}

/// A link that has run out is asked for anew, and no error shows a link.
#[tokio::test]
async fn a_file_that_fails_is_fetched_by_a_new_link() {
    let emulator = tenant();
    for status_of_file in [403, 404, 500, 503] {
        emulator.clear_faults();
        emulator.fault(FaultRule { times: Some(1), ..status("/reports/download/", status_of_file) });
        emulator.clear_requests();
        let session = session_with(&emulator, &[("retry_timeout_seconds", "30")]);
        let (rows, failure) = read(&session, &[]).await;
        assert!(failure.is_none(), "{status_of_file}: {failure:?}");
        assert_rows(TABLE, rows_of(TABLE, &rows), truth_of(&emulator, TABLE));
        assert_eq!(files(&emulator), 2);
        let links: Vec<String> = emulator.requests().into_iter().map(|request| request.template).collect();
        assert_eq!(links.iter().filter(|template| template.ends_with("UserDetail")).count(), 2);
    }
}

#[tokio::test]
async fn what_is_no_report_is_an_error_that_shows_no_link() {
    let emulator = tenant();
    for kind in [FaultKind::GarbageHtml, FaultKind::Truncate, FaultKind::Reset] {
        emulator.clear_faults();
        emulator.fault(fault("/reports/download/", kind));
        let session = session(&emulator);
        let (rows, failure) = read(&session, &[]).await;
        assert!(rows.is_empty(), "{kind:?}");
        let error = failure.unwrap();
        let request = emulator.requests().into_iter().find(|request| request.template == "/reports/download").unwrap();
        let link = request.path.rsplit('/').next().unwrap().to_owned();
        let shown = format!("{error} {error:?} {:?}", session.report().snapshot());
        assert!(!shown.contains(&link), "{kind:?}: {shown}");
    }
}

/// The file is asked for once more where it is, and not followed further.
#[tokio::test]
async fn a_redirect_of_the_file_is_not_followed() {
    let emulator = tenant();
    emulator.fault(status("/reports/download/", 302));
    let (_, failure) = read(&session(&emulator), &[]).await;
    assert!(matches!(failure, Some(Error::Protocol(_))), "{failure:?}");
    assert_eq!(files(&emulator), 1);
}

/// Redirects are followed for reports only: elsewhere one is an error, as it was.
#[tokio::test]
async fn no_other_answer_may_redirect() {
    let emulator = tenant();
    emulator.fault(status("GET /teams", 302));
    let (_, failure) = read_once(&session(&emulator), &pass(&["team_apps"], &[("fetch_all_teams", "true")])).await;
    assert!(matches!(failure, Some(Error::Protocol(_))), "{failure:?}");
}
