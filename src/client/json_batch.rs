//! Many small reads in few round trips (<https://learn.microsoft.com/graph/json-batching>). A batch saves round trips, not
//! quota: each item is throttled, refused and repeated on its own.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

use crate::attempt::Setback;
use crate::classify::{Kind, classify};
use crate::exchange::{Accepted, Call, Engine, Failed};
use crate::http::error_body::ErrorBody;
use crate::http::headers::Headers;
use crate::http::retry::{Trial, random};
use crate::malformed::Malformed;
use crate::request::{Idempotency, Request};
use crate::trouble::Trouble;
use crate::url::relative;
use teams_base::error::Result;
use teams_base::graph::endpoint::{self, Method};
use teams_base::text;

/// The most that Graph takes in one batch.
const MOST: usize = 20;

#[derive(Serialize)]
struct Payload<'a> {
    requests: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    method: &'static str,
    url: &'a str,
    /// The headers of the batch are not its items'.
    headers: ItemHeaders,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ItemHeaders {
    accept: &'static str,
    prefer: &'static str,
}

/// An item's answer, detached from the batch's body.
struct Part {
    status: u16,
    headers: Headers,
    body: Option<Box<RawValue>>,
}

/// One request on its way through one or more batches.
struct Ride {
    url: String,
    trial: Trial,
    ready_at: Instant,
}

impl Engine {
    pub async fn batch(&self, requests: &[Request]) -> Result<Vec<Result<Box<RawValue>>>> {
        let mut results: Vec<Option<Result<Box<RawValue>>>> = requests.iter().map(|_| None).collect();
        let mut rides = HashMap::new();
        let mut waiting = VecDeque::new();
        for (index, request) in requests.iter().enumerate() {
            match self.item_url(request) {
                Ok(url) => {
                    let trial = Trial::new(self.retry_timeout, random);
                    rides.insert(index, Ride { url, trial, ready_at: Instant::now() });
                    waiting.push_back(index);
                }
                Err(why) => results[index] = Some(Err(Trouble::refused(request, why))),
            }
        }
        while !waiting.is_empty() {
            let round = self.next_round(&mut waiting, requests);
            let ready_at = round.iter().filter_map(|index| Some(rides.get(index)?.ready_at)).max();
            if let Some(at) = ready_at.filter(|at| *at > Instant::now()) {
                sleep_until(at).await;
            }
            let started = Instant::now();
            let Accepted { answer, token, generation } = self.round_trip(&round, requests, &rides).await?;
            let (mut parts, took) = (answer.body, started.elapsed());
            for index in round {
                let Some(ride) = rides.get_mut(&index) else { continue };
                let request = &requests[index];
                let counts_as = [request];
                let item =
                    Failed { service: &self.graph, request, counts_as: &counts_as, token: &token, took, generation };
                match self.settle(&item, parts.remove(&index), ride) {
                    Some(result) => results[index] = Some(result),
                    None => waiting.push_back(index),
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// A batch is repeated as a whole, so it holds nothing but reads.
    fn item_url(&self, request: &Request) -> Result<String, &'static str> {
        if request.endpoint.method != Method::Get || request.idempotency != Idempotency::Safe {
            return Err("a batch holds reads only");
        }
        relative(request, self.graph.base())
    }

    /// Up to twenty requests, no two of which draw on one channel, team or user: those would only throttle each other.
    fn next_round(&self, waiting: &mut VecDeque<usize>, requests: &[Request]) -> Vec<usize> {
        let mut round: Vec<usize> = Vec::with_capacity(MOST);
        let mut left = VecDeque::new();
        while let Some(index) = waiting.pop_front() {
            let clash = round.iter().any(|other| self.limiter.share_narrow_budget(&requests[index], &requests[*other]));
            if clash {
                left.push_back(index);
            } else {
                round.push(index);
            }
            if round.len() == MOST {
                break;
            }
        }
        left.append(waiting);
        *waiting = left;
        round
    }

    async fn round_trip(
        &self,
        round: &[usize],
        requests: &[Request],
        rides: &HashMap<usize, Ride>,
    ) -> Result<Accepted<HashMap<usize, Part>>> {
        let urls = round.iter().filter_map(|index| Some((index, &rides.get(index)?.url)));
        let payload = Payload {
            requests: urls
                .map(|(index, url)| Item {
                    id: index.to_string(),
                    method: Method::Get.as_str(),
                    url,
                    headers: ItemHeaders { accept: "application/json", prefer: "include-unknown-enum-members" },
                })
                .collect(),
        };
        let payload = serde_json::to_vec(&payload).expect("texts and numbers only");
        let items: Vec<_> = round.iter().map(|index| &requests[*index]).collect();
        let batch = Request::new(&endpoint::BATCH, &["$batch"], format!("{} reads", round.len()))
            .json(payload)
            .idempotency(Idempotency::Safe);
        for request in &items {
            self.report.batched(request.endpoint.template);
        }
        self.exchange(&Call { request: &batch, items: &items, redirects: false }, parse).await
    }

    /// The result of an item, or nothing if it rides again.
    fn settle(&self, item: &Failed<'_>, part: Option<Part>, ride: &mut Ride) -> Option<Result<Box<RawValue>>> {
        let (request, template) = (item.request, item.request.endpoint.template);
        let setback = match self.judge(part) {
            Ok(body) => {
                self.graph.breaker.accepted(template);
                return Some(Ok(body));
            }
            Err(setback) => setback,
        };
        let throttled = setback.trouble.kind == Kind::Throttled;
        let (trouble, wait) = self.next(item, setback, &mut ride.trial);
        let Some(wait) = wait else {
            self.report.failed(template);
            let mut trouble = trouble;
            trouble.holds_permission(request, &item.token.roles());
            return Some(Err(trouble.into_error(request, ride.trial.retries)));
        };
        if throttled {
            self.limiter.throttle(request, wait);
        }
        self.report.retried(template);
        ride.ready_at = Instant::now() + wait;
        None
    }

    fn judge(&self, part: Option<Part>) -> Result<Box<RawValue>, Setback> {
        let limit = self.retry_timeout;
        let Some(Part { status, headers, body }) = part else {
            return Err(Setback::malformed(Trouble::protocol("the batch left the item out"), 200, limit));
        };
        let text = body.as_ref().map_or("", |body| body.get()).as_bytes();
        let action = classify(Idempotency::Safe, status, &headers, text);
        if let Some(setback) = Setback::of(action, status, &headers, text, limit) {
            return Err(setback);
        }
        match body {
            Some(body) if !ErrorBody::is_error(body.get().as_bytes()) => Ok(body),
            body => {
                let why = Malformed("an item without a resource".into());
                let text = body.as_ref().map_or("", |body| body.get()).as_bytes();
                Err(Setback::malformed(Trouble::malformed(&why, status, &headers, text), status, limit))
            }
        }
    }
}

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    responses: Vec<AnswerItem<'a>>,
}

#[derive(Deserialize)]
struct AnswerItem<'a> {
    id: Value,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
}

/// The parts by the index that was their id. Their order is the server's.
fn parse(body: &[u8]) -> Result<HashMap<usize, Part>, Malformed> {
    let answers: Answers<'_> = serde_json::from_slice(body)?;
    let parts = answers.responses.into_iter().filter_map(|item| {
        let index = match &item.id {
            Value::String(text) => text.parse().ok()?,
            other => usize::try_from(other.as_u64()?).ok()?,
        };
        let headers = item.headers.unwrap_or_default();
        let header = |name: &str| {
            let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let body = item.body.and_then(resource);
        Some((index, Part { status: item.status, headers: Headers::pick(header), body }))
    });
    Ok(parts.collect())
}

/// A body is JSON, or base64 of it in a string.
fn resource(body: &RawValue) -> Option<Box<RawValue>> {
    if !body.get().starts_with('"') {
        return (body.get() != "null").then(|| body.to_owned());
    }
    let text: String = serde_json::from_str(body.get()).ok()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    serde_json::from_slice(text::without_mark(&bytes)).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn parts_are_found_by_their_id_in_any_spelling() {
        let body = br#"{"responses":[
            {"id":"1","status":429,"headers":{"RETRY-AFTER":"3","date":"x"},"body":{"error":{}}},
            {"id":0,"status":200,"headers":{"retry-after":2.5},"body":{"a": 1.50}},
            {"id":"2","status":200,"body":"eyJiIjoyfQ=="},
            {"id":"3","status":204,"body":null},
            {"id":"4","status":200,"body":"77u/eyJjIjozfQ=="},
            {"id":"x","status":200}
        ]}"#;
        let parts = parse(body).unwrap();
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[&0].body.as_ref().unwrap().get(), r#"{"a": 1.50}"#);
        assert_eq!(parts[&0].headers.wait(), Some(Duration::from_millis(2_500)));
        assert_eq!(parts[&1].headers.wait(), Some(Duration::from_secs(3)));
        assert_eq!(parts[&2].body.as_ref().unwrap().get(), r#"{"b":2}"#);
        assert!(parts[&3].body.is_none());
        assert_eq!(parts[&4].body.as_ref().unwrap().get(), r#"{"c":3}"#, "behind a byte order mark");
        assert!(parse(b"{}").is_err() && parse(b"<html>").is_err());
    }
}
