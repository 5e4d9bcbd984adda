//! Many small reads in few round trips (<https://learn.microsoft.com/graph/json-batching>). A batch saves round trips, not
//! quota: each item is throttled, refused and repeated on its own.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

use super::Malformed;
use super::address;
use super::body::ErrorBody;
use super::classify::{self, Action, Headers, Kind, classify};
use super::exchange::{Accepted, Call, Engine};
use super::request::Request;
use super::retry::{Trial, random};
use super::trouble::Trouble;
use crate::auth::Token;
use teams_base::error::Result;
use teams_base::graph::endpoint;

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
            match address::relative(request, &self.base) {
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
            let Accepted { answer, token } = self.round_trip(&round, requests, &rides).await?;
            let mut parts = answer.body;
            for index in round {
                let Some(ride) = rides.get_mut(&index) else { continue };
                match self.settle(&requests[index], parts.remove(&index), ride, &token, started.elapsed()) {
                    Some(result) => results[index] = Some(result),
                    None => waiting.push_back(index),
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
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
        let items = round.iter().filter_map(|index| Some((index, &rides.get(index)?.url)));
        let payload = Payload {
            requests: items
                .map(|(index, url)| Item {
                    id: index.to_string(),
                    method: "GET",
                    url,
                    headers: ItemHeaders { accept: "application/json", prefer: "include-unknown-enum-members" },
                })
                .collect(),
        };
        let payload = serde_json::to_vec(&payload).expect("texts and numbers only");
        let counts_as: Vec<_> = round.iter().map(|index| &requests[*index]).collect();
        let batch = Request::new(&endpoint::BATCH, &["$batch"], format!("{} reads", round.len()));
        let url = address::absolute(&batch, &self.base).map_err(|why| Trouble::refused(&batch, why))?;
        let call = Call {
            endpoint: &endpoint::BATCH,
            scope: &batch.scope,
            url,
            payload: Some(Bytes::from(payload)),
            redirects: false,
            counts_as: &counts_as,
        };
        for request in &counts_as {
            self.report.batched(request.endpoint.template);
        }
        self.exchange(&call, parse).await
    }

    /// The result of an item, or nothing if it rides again.
    fn settle(
        &self,
        request: &Request,
        part: Option<Part>,
        ride: &mut Ride,
        token: &Arc<Token>,
        took: Duration,
    ) -> Option<Result<Box<RawValue>>> {
        let template = request.endpoint.template;
        let (trouble, wait) = match part {
            None => (Trouble::protocol("the batch left the item out"), ride.trial.again(took, None)),
            Some(part) => {
                let text = part.body.as_ref().map_or("", |body| body.get());
                let trouble = |kind| Trouble::answered(kind, part.status, &part.headers, text.as_bytes());
                match classify(part.status, &part.headers, text.as_bytes()) {
                    Action::Accept => match part.body {
                        Some(body) if !ErrorBody::is_error(body.get().as_bytes()) => return Some(Ok(body)),
                        _ => {
                            let why = Malformed("an item without a resource".into());
                            let trouble = Trouble::malformed(&why, &part.headers, text.as_bytes());
                            (trouble, ride.trial.again(took, None))
                        }
                    },
                    Action::Retry { after, throttled, .. } => {
                        let mut trouble = trouble(classify::exhausted(throttled));
                        let may_go_on = if throttled { Ok(()) } else { self.breaker.failed(took) };
                        let wait = trouble.stopped(may_go_on).and(ride.trial.again(took, after));
                        if throttled {
                            self.report.throttled(template);
                            if let Some(wait) = wait {
                                self.limiter.throttle(request, wait);
                            }
                        }
                        (trouble, wait)
                    }
                    Action::Reauthenticate => {
                        self.tokens.invalidate(token);
                        let kind = if part.status == 403 { Kind::PermissionDenied } else { Kind::Authentication };
                        (trouble(kind), ride.trial.reauthenticate(token.obtained_at).then_some(Duration::ZERO))
                    }
                    Action::Fail(kind) => (trouble(kind), None),
                }
            }
        };
        let Some(wait) = wait else {
            self.report.failed(template);
            return Some(Err(trouble.into_error(request.endpoint, &request.scope, ride.trial.retries)));
        };
        self.report.retried(template);
        ride.ready_at = Instant::now() + wait;
        None
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
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_their_id_in_any_spelling() {
        let body = br#"{"responses":[
            {"id":"1","status":429,"headers":{"RETRY-AFTER":"3","date":"x"},"body":{"error":{}}},
            {"id":0,"status":200,"headers":{"retry-after":2.5},"body":{"a": 1.50}},
            {"id":"2","status":200,"body":"eyJiIjoyfQ=="},
            {"id":"3","status":204,"body":null},
            {"id":"x","status":200}
        ]}"#;
        let parts = parse(body).unwrap();
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[&0].body.as_ref().unwrap().get(), r#"{"a": 1.50}"#);
        assert_eq!(parts[&0].headers.wait(), Some(Duration::from_millis(2_500)));
        assert_eq!(parts[&1].headers.wait(), Some(Duration::from_secs(3)));
        assert_eq!(parts[&2].body.as_ref().unwrap().get(), r#"{"b":2}"#);
        assert!(parts[&3].body.is_none());
        assert!(parse(b"{}").is_err() && parse(b"<html>").is_err());
    }
}
