//! A naive Graph client: asks, reads JSON, follows links. It shares nothing with the connector.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use teams_emulator::{Emulator, EmulatorConfig};

pub struct Client {
    pub emulator: Emulator,
    pub http: reqwest::Client,
    pub token: String,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

pub fn http() -> reqwest::Client {
    // The first test to come installs it; the others find it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Small enough for quick tests, large enough for every variant of a message.
pub fn small() -> EmulatorConfig {
    EmulatorConfig { frozen_clock: true, ..EmulatorConfig::default() }
}

pub async fn start(config: EmulatorConfig) -> Client {
    let emulator = Emulator::start(config).unwrap();
    let http = http();
    let token = text(&token(&http, &emulator).await.body, "access_token");
    Client { emulator, http, token }
}

pub async fn token(http: &reqwest::Client, emulator: &Emulator) -> Reply {
    let form = [
        ("client_id", emulator.client_id()),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://graph.microsoft.com/.default"),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", emulator.url(), emulator.tenant_id());
    let reply = Reply::of(http.post(url).form(&form).send().await.unwrap()).await;
    assert_eq!(reply.status, 200);
    reply
}

impl Reply {
    /// The text keeps a byte order mark; the body is read without.
    pub async fn of(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        let body = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        Self { status, headers, body, text }
    }
}

impl Client {
    pub fn url(&self, target: &str) -> String {
        if target.starts_with("http") { target.to_owned() } else { format!("{}/v1.0{target}", self.emulator.url()) }
    }

    pub async fn send(&self, target: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.http.get(self.url(target)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// A batch of one request.
    pub async fn batch(&self, target: &str) -> Reply {
        let body = json!({"requests": [{"id": "1", "method": "GET", "url": target}]}).to_string();
        let request = self.http.post(self.url("/$batch")).bearer_auth(&self.token);
        Reply::of(request.header("content-type", "application/json").body(body).send().await.unwrap()).await
    }

    pub async fn get(&self, target: &str) -> Reply {
        self.send(target, &[("prefer", "include-unknown-enum-members")]).await
    }

    /// The body of an answer that has to be a success.
    pub async fn ok(&self, target: &str) -> Value {
        let reply = self.get(target).await;
        assert_eq!(reply.status, 200, "{target}: {}", reply.text);
        reply.body
    }

    /// All rows behind a list, the number of pages, and the deltaLink if there is one.
    pub async fn crawl(&self, target: &str) -> (Vec<Value>, usize, Option<String>) {
        let (mut rows, mut pages, mut next) = (Vec::new(), 0, target.to_owned());
        loop {
            let mut body = self.ok(&next).await;
            pages += 1;
            assert!(pages < 10_000, "{target} does not end");
            let Value::Array(page) = body["value"].take() else { panic!("{target}: no value") };
            rows.extend(page);
            match body["@odata.nextLink"].as_str() {
                Some(link) => link.clone_into(&mut next),
                None => {
                    return (rows, pages, body["@odata.deltaLink"].as_str().map(str::to_owned));
                }
            }
        }
    }

    pub async fn rows(&self, target: &str) -> Vec<Value> {
        self.crawl(target).await.0
    }

    /// An open team's id and the ids of its channels, General first.
    pub fn team(&self, at: usize) -> (String, Vec<String>) {
        let team = text(&self.emulator.truth("teams")[at], "id");
        let channels = self.emulator.truth("channels");
        let own = channels.iter().filter(|row| row["team_id"] == *team).map(|row| text(row, "id"));
        (team.clone(), own.collect())
    }
}

pub fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}")).to_owned()
}

pub fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(row, "id")).collect()
}

/// Rows by a key made of several columns; panics when two rows share it.
pub fn keyed(rows: &[Value], columns: &[&str]) -> BTreeMap<String, Value> {
    let mut map = BTreeMap::new();
    for row in rows {
        let key = columns.iter().map(|column| text(row, column)).collect::<Vec<_>>().join("|");
        assert!(map.insert(key.clone(), row.clone()).is_none(), "two rows have the key {key}");
    }
    map
}

/// For ids of chats and channels inside a path.
pub fn path(id: &str) -> String {
    id.replace(':', "%3A").replace('@', "%40")
}
