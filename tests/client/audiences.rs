//! Two services with an audience each: the token of one never goes to a host of the other.

use teams_base::cloud::Cloud;
use teams_base::graph::endpoint::{Endpoint, Method, RateClass};
use url::Url;

use super::*;

static SEND: Endpoint = Endpoint {
    method: Method::Post,
    template: "/conversations/{id}/activities",
    class: RateClass::Other,
    permission: "",
};

/// Hands out tokens of one audience.
struct Audience(&'static str);

impl TokenProvider for Audience {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        let expires_at = Instant::now() + Duration::from_secs(3_600);
        let secret = Secret::new(format!("marked-token-{}", self.0));
        Box::pin(async move { Ok(AccessToken { secret, expires_at }) })
    }
}

fn both(graph: &Fifo, connector: &Fifo, extra: &[(&str, &str)]) -> GraphClient {
    let config = config(&graph.url(), extra);
    let client = GraphClient::new(&config, Arc::new(Audience("graph")), Arc::default()).unwrap();
    client.with_connector(&config, Url::parse(&connector.url()).unwrap(), Arc::new(Audience("bot"))).unwrap()
}

fn activity(service: &str) -> Request {
    let service = Url::parse(service).unwrap();
    Request::connector(&SEND, &service, &["conversations", "a:1", "activities"], "conversation a:1").json("{}")
}

#[tokio::test]
async fn each_service_gets_its_own_token() {
    let graph = Fifo::forever(json(PAGE)).await;
    let connector = Fifo::forever(status(201).body(r#"{"id":"1"}"#)).await;
    let client = both(&graph, &connector, &[]);
    let service = format!("{}/amer/", connector.url());
    get(&client).await.unwrap();
    assert_eq!(client.send(&activity(&service)).await.unwrap().status, 201);
    get(&client).await.unwrap();
    let (graph, connector) = (graph.seen(), connector.seen());
    assert_eq!((graph.len(), connector.len()), (2, 1));
    assert!(connector[0].starts_with("POST /amer/v3/conversations/a:1/activities HTTP/1.1"), "{}", connector[0]);
    assert!(connector[0].contains("token-bot") && !connector[0].contains("token-graph"));
    assert!(graph.iter().all(|seen| seen.contains("token-graph") && !seen.contains("token-bot")));
}

#[tokio::test]
async fn no_address_link_or_redirect_takes_a_token_to_another_service() {
    let graph = Fifo::start(vec![]).await;
    let connector = Fifo::start(vec![]).await;
    let other = Fifo::forever(json(PAGE)).await;
    let client = both(&graph, &connector, &[]);
    for service in
        [graph.url(), other.url(), "https://smba.trafficmanager.net/amer/".into(), "https://evil.example".into()]
    {
        let error = client.send(&activity(&service)).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)) && !error.effect_is_unknown(), "{service}: {error:?}");
        assert!(harmless(&error).contains("must not see the token"), "{error}");
    }
    for link in [connector.url(), other.url()] {
        assert!(client.link(&format!("{link}/v1.0/teams?$skiptoken=marked"), &messages()).is_err());
        // A link that was checked for another host, as one of an older offset would be.
        let foreign = teams_client::Link::check(&format!("{link}/v1.0/teams"), &Url::parse(&link).unwrap()).unwrap();
        let error = client.get(&messages().follow(foreign), page).await.unwrap_err();
        assert!(harmless(&error).contains("must not see the token"), "{error}");
    }
    assert!(graph.seen().is_empty() && connector.seen().is_empty() && other.seen().is_empty());

    let graph = Fifo::forever(status(302).header("Location", &other.url())).await;
    let connector = Fifo::forever(status(307).header("Location", &other.url())).await;
    let client = both(&graph, &connector, &[]);
    get(&client).await.unwrap_err();
    client.send(&activity(&connector.url())).await.unwrap_err();
    assert!(other.seen().is_empty(), "no redirect is followed");

    let alone = super::client(&graph);
    let error = alone.send(&activity(&connector.url())).await.unwrap_err();
    assert!(harmless(&error).contains("no credential for the Bot Connector"), "{error}");
}

#[tokio::test]
async fn a_refused_token_and_an_outage_concern_one_service_only() {
    let graph = Fifo::forever(json(PAGE)).await;
    let connector = Fifo::forever(status(503)).await;
    let client = both(&graph, &connector, &[("retry_timeout_seconds", "1")]);
    let request = activity(&connector.url());
    while !client.send(&request).await.unwrap_err().ends_run() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    get(&client).await.unwrap();

    let connector = Fifo::forever(status(401)).await;
    let client = both(&graph, &connector, &[]);
    let error = client.send(&activity(&connector.url())).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)) && !error.effect_is_unknown(), "{error:?}");
    get(&client).await.unwrap();
}

#[tokio::test]
async fn errors_name_the_service_that_was_asked() {
    let graph = Fifo::forever(status(500)).await;
    for (code, said) in [
        (503, "Bot Connector service could not answer: POST"),
        (429, "Throttled by Bot Connector service: POST"),
        (302, "Unexpected answer from Bot Connector service: POST"),
        (401, "Bot Connector service refused a new token at"),
    ] {
        let connector = Fifo::forever(status(code)).await;
        let client = both(&graph, &connector, &[("retry_timeout_seconds", "0")]);
        let text = harmless(&client.send(&activity(&connector.url())).await.unwrap_err());
        assert!(text.contains(said), "{code}: {text}");
        assert!(!text.contains("Graph") && !text.contains("graph_base_url"), "{code}: {text}");
        let text = harmless(&get(&client).await.unwrap_err());
        assert!(text.starts_with("Microsoft Graph could not answer: GET"), "{text}");
    }
}

#[tokio::test]
async fn one_credential_asks_for_a_token_of_each_audience() {
    let login = Fifo::forever(granted()).await;
    let config = config(&login.url(), &[]);
    for scope in [config.scope(), Cloud::Global.bot_connector_scope().to_owned()] {
        teams_client::auth::provider(&config, &scope, None).unwrap().fetch().await.unwrap();
    }
    let seen = login.seen();
    assert!(seen[0].contains("scope=http%3A%2F%2F127.0.0.1"), "{}", seen[0]);
    assert!(seen[1].contains("scope=https%3A%2F%2Fapi.botframework.com%2F.default"), "{}", seen[1]);
}
