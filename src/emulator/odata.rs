//! Query options: what was asked, what is allowed, and the opaque tokens inside links.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::config::TopOverMax;
use super::errors::Refusal;

/// The decoded query, in order.
#[derive(Clone, Default, Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Option names are matched without regard to case, with or without their `$`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let plain = name.trim_start_matches('$');
        self.0
            .iter()
            .find(|(key, _)| key.trim_start_matches('$').eq_ignore_ascii_case(plain))
            .map(|(_, value)| value.as_str())
    }

    /// Refuses every `$option` that is not in `allowed`; names without `$` are custom and pass.
    pub fn only(&self, allowed: &[&str]) -> Result<(), Refusal> {
        match self
            .0
            .iter()
            .find(|(key, _)| key.starts_with('$') && !allowed.iter().any(|option| option.eq_ignore_ascii_case(key)))
        {
            Some((key, _)) => Err(Refusal::unsupported(key)),
            None => Ok(()),
        }
    }

    pub fn top(&self, default: usize, max: usize, over: TopOverMax) -> Result<usize, Refusal> {
        let Some(text) = self.get("$top") else {
            return Ok(default);
        };
        let Ok(top) = text.parse::<usize>() else {
            return Err(Refusal::bad_request(format!("Invalid value '{text}' for $top query option found.")));
        };
        if top == 0 {
            return Err(Refusal::bad_request("Invalid value '0' for $top query option found."));
        }
        if top > max && over == TopOverMax::Reject {
            let message = format!(
                "The limit of '{max}' for Top query has been exceeded. The value from the incoming request is '{top}'."
            );
            return Err(Refusal::bad_request(message));
        }
        Ok(top.min(max))
    }

    pub fn select(&self) -> Option<Vec<&str>> {
        self.get("$select").map(|names| names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
    }

    pub fn expands(&self, name: &str) -> bool {
        self.get("$expand").is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(name)))
    }

    /// The query again, without some options: the start of a link.
    pub fn without(&self, dropped: &[&str]) -> String {
        let mut text = String::new();
        for (key, value) in &self.0 {
            if dropped.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                continue;
            }
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(key);
            text.push('=');
            text.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
        text
    }
}

/// Keeps the chosen properties; `id` always comes along.
pub fn project(object: &Map<String, Value>, select: Option<&[&str]>, default: &[&str]) -> Map<String, Value> {
    let names = select.unwrap_or(default);
    if names.is_empty() {
        return object.clone();
    }
    let mut kept = Map::new();
    for name in std::iter::once(&"id").chain(names) {
        if let Some(value) = object.get(*name) {
            kept.insert((*name).to_owned(), value.clone());
        }
    }
    kept
}

/// What a token holds: when it was made (0 when that does not matter) and a position.
#[derive(Debug, PartialEq, Eq)]
pub struct Token {
    pub issued_ms: i64,
    pub position: String,
}

/// A token belongs to the collection it was made for, and cannot be altered.
pub fn seal(scope: &str, issued_ms: i64, position: &str) -> String {
    let body = format!("{issued_ms}|{position}");
    let check = xxh3_64(format!("{scope}|{body}").as_bytes());
    URL_SAFE_NO_PAD.encode(format!("{check:016x}{body}"))
}

pub fn unseal(scope: &str, token: &str) -> Result<Token, Refusal> {
    let broken = || Refusal::bad_request("Invalid token: the skip or delta token is malformed.");
    let token = token.split_once('=').map_or(token, |(token, _)| token);
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| broken())?;
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    let (check, body) = text.split_at_checked(16).ok_or_else(broken)?;
    if check != format!("{:016x}", xxh3_64(format!("{scope}|{body}").as_bytes())) {
        return Err(broken());
    }
    let (issued, position) = body.split_once('|').ok_or_else(broken)?;
    Ok(Token { issued_ms: issued.parse().map_err(|_| broken())?, position: position.to_owned() })
}

/// The same token, spelled in one of `ways`: padding, and what comes behind it, is not significant to us.
pub fn reseal(token: &str, nonce: u64, ways: u64) -> String {
    format!("{token}={}", nonce % ways)
}
