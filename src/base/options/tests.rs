use std::time::Duration;

use super::*;
use crate::error::Result;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn pairs(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn connection(extra: &[(&str, &str)]) -> Result<ConnectionConfig> {
    let mut all = vec![("tenant_id", TENANT), ("client_id", "app"), ("client_secret", "hush-hush")];
    all.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    all.extend(extra.iter().filter(|(_, value)| *value != "<absent>"));
    parse_connection(pairs(&all), Strictness::Strict).map(|(config, _)| config)
}

fn table(options: &[(&str, &str)]) -> Result<TableOptions> {
    parse_table(pairs(options), Strictness::Strict).map(|(options, _)| options)
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.expect_err("must be refused");
    assert!(matches!(error, crate::error::Error::Configuration(_)), "{error:?}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

#[test]
fn one_mixed_lower_cased_map_serves_both_doors() {
    let mixed = pairs(&[
        ("tablename", "messages"),
        ("databricks.connection", "teams"),
        ("externaloptionsallowlist", "team_id,top"),
        ("namespacename", "x"),
        ("path", "/tmp"),
        ("TENANT_ID", TENANT),
        ("client_id", "app"),
        ("client_secret", "hush-hush"),
        ("Team_Id", "a, b,,c "),
        ("top", "5000"),
        ("start_date", "2025-01-31"),
    ]);
    let (config, unknown) = parse_connection(mixed.clone(), Strictness::Strict).unwrap();
    assert_eq!((config.tenant_id.as_deref(), config.client_id.as_deref()), (Some(TENANT), Some("app")));
    assert!(unknown.is_empty());
    let (options, unknown) = parse_table(mixed, Strictness::Strict).unwrap();
    assert_eq!((options.team_ids, options.top), (["a", "b", "c"].map(String::from).to_vec(), Some(5000)));
    assert!(unknown.is_empty());
}

#[test]
fn unknown_names_offer_the_nearest() {
    assert!(refusal(table(&[("fetch_all_team", "true")])).contains("did you mean fetch_all_teams?"));
    let (_, warnings) = parse_table(pairs(&[("tem_id", "x")]), Strictness::Lenient).unwrap();
    assert_eq!(warnings, ["Unknown option \"tem_id\": did you mean team_id?"]);
}

#[test]
fn names_that_differ_in_case_only_are_refused() {
    assert!(refusal(table(&[("top", "1"), ("TOP", "2")])).contains("given twice"));
}

#[test]
fn wrong_values_are_refused_at_either_strictness() {
    for (name, value, expected) in [
        ("top", "many", "not a whole number"),
        ("top", "0", "at least 1|from 1"),
        ("include_raw", "yes", "true or false"),
        ("start_date", "soon", "ISO 8601"),
        ("strategy", "fast", "auto, export, channels, delta"),
        ("on_forbidden", "ignore", "fail, skip"),
        ("chat_types", "group,pair", "oneOnOne, group, meeting"),
        ("lookback_seconds", "-1", "out of range"),
    ] {
        for strictness in [Strictness::Strict, Strictness::Lenient] {
            let text = refusal(parse_table(pairs(&[(name, value)]), strictness));
            assert!(text.contains(name) && expected.split('|').any(|part| text.contains(part)), "{text}");
        }
    }
}

#[test]
fn every_scope_is_asked_for_by_its_own_option() {
    for value in ["", "  ", ",", "all", "*", "ALL"] {
        let text = refusal(table(&[("team_id", value)]));
        assert!(text.contains("fetch_all_teams=true"), "{text}");
    }
    for value in ["a/b", "..", "a?b", "a b", "x%2f"] {
        assert!(refusal(table(&[("channel_id", value)])).contains("not an identifier"));
    }
    assert_eq!(table(&[("channel_id", "19:ab-c_d@thread.tacv2")]).unwrap().channel_ids.len(), 1);
}

#[test]
fn table_defaults_and_the_older_names() {
    let default = table(&[]).unwrap();
    assert_eq!(default, TableOptions::default());
    assert_eq!((default.max_pages_per_batch, default.lookback), (None, Duration::from_secs(300)));
    assert_eq!(table(&[("use_delta_api", "True")]).unwrap().strategy, Strategy::Delta);
    assert_eq!(table(&[("use_delta_api", "true"), ("strategy", "delta")]).unwrap().strategy, Strategy::Delta);
    assert!(refusal(table(&[("use_delta_api", "true"), ("strategy", "export")])).contains("contradict"));
    assert_eq!(table(&[("chat_types", "GROUP")]).unwrap().chat_types, [ChatType::Group]);
    table(&[("max_concurrent_threads", "8")]).unwrap();
}

#[test]
fn exactly_one_credential() {
    assert!(matches!(
        connection(&[]).unwrap().credential,
        Some(Credential::ClientSecret(crate::secret::SecretSource::Value(_)))
    ));
    assert!(refusal(connection(&[("client_secret_env", "X")])).contains("keep exactly one"));
    assert!(refusal(connection(&[("managed_identity", "true")])).contains("keep exactly one"));
    assert!(connection(&[("managed_identity", "false")]).unwrap().credential.is_some());
    assert!(connection(&[("client_secret", "<absent>")]).unwrap().credential.is_none());
    assert!(refusal(connection(&[("client_certificate_password", "x")])).contains("needs client_certificate"));
    assert!(refusal(connection(&[("tenant_id", "<absent>")])).contains("tenant_id is required"));
    assert!(refusal(connection(&[("client_id", "<absent>")])).contains("client_id is required"));
}

#[test]
fn tenants_are_named_not_shared() {
    connection(&[("tenant_id", "contoso.onmicrosoft.com")]).unwrap();
    for bad in ["common", "Organizations", "consumers", "contoso", "a/b", "https://x.y", "a..b", "me@contoso.com"] {
        assert!(refusal(connection(&[("tenant_id", bad)])).contains("Directory (tenant) ID"), "{bad}");
    }
}

#[test]
fn a_cloud_sets_every_host_and_overrides_win() {
    let config = connection(&[("cloud", "USGov_DoD")]).unwrap();
    assert_eq!(config.authority.as_str(), "https://login.microsoftonline.us/");
    assert_eq!(config.scope(), "https://dod-graph.microsoft.us/.default");
    let config = connection(&[("graph_base_url", "http://127.0.0.1:8480/"), ("rate_limits", "off")]).unwrap();
    assert_eq!(config.scope(), "http://127.0.0.1:8480/.default");
    assert_eq!(config.rate_limits, RateLimits::Off);
    assert!(refusal(connection(&[("rate_limits", "off")])).contains("loopback"));
    assert!(refusal(connection(&[("graph_base_url", "http://graph.microsoft.com")])).contains("plain http"));
    assert!(refusal(connection(&[("authority_host", "http://login.example")])).contains("plain http"));
}

#[test]
fn secrets_never_show() {
    let config = connection(&[("proxy", "http://user:hush-hush@proxy.example:3128")]).unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("hush"));
    let text = refusal(connection(&[("client_secret", "hush-hush"), ("Client_Secret", "hush-hush")]));
    assert!(!text.contains("hush"), "{text}");
    assert!(!refusal(connection(&[("client_secret", "  ")])).contains("\"  \""));
}
