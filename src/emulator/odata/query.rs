//! Query options: what was asked, and what is allowed.

use serde_json::{Map, Value};

use crate::http::error::GraphError;
use crate::tenant::knobs::TopOverMax;

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
    pub fn only(&self, allowed: &[&str]) -> Result<(), GraphError> {
        match self
            .0
            .iter()
            .find(|(key, _)| key.starts_with('$') && !allowed.iter().any(|option| option.eq_ignore_ascii_case(key)))
        {
            Some((key, _)) => Err(GraphError::unsupported(key)),
            None => Ok(()),
        }
    }

    pub fn top(&self, default: usize, max: usize, over: TopOverMax) -> Result<usize, GraphError> {
        let Some(text) = self.get("$top") else {
            return Ok(default);
        };
        let Ok(top) = text.parse::<usize>() else {
            return Err(GraphError::bad_request(format!("Invalid value '{text}' for $top query option found.")));
        };
        if top == 0 {
            return Err(GraphError::bad_request("Invalid value '0' for $top query option found."));
        }
        if top > max && over == TopOverMax::Reject {
            let message = format!(
                "The limit of '{max}' for Top query has been exceeded. The value from the incoming request is '{top}'."
            );
            return Err(GraphError::bad_request(message));
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
