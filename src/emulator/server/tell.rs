//! Sends the bot what people do, as Teams does: what gets no answer comes again.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::bot::people::Said;
use crate::http::client::{self, Failed};
use crate::tenant::clock::Clock;

/// How often an activity comes at most.
const TIMES: usize = 3;

/// What the bot answered.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Of each time that the activity was sent; 0 where there was no answer.
    pub statuses: Vec<u16>,
    /// The last answer, null where it is no JSON.
    pub body: Value,
    pub activity: Value,
}

/// Posts one activity to `http://host:port/path`, and again where there is no answer after `resend_ms` of the emulator's time;
/// `times` in any case.
pub async fn tell(url: &Url, said: Said, clock: &Clock, resend_ms: i64, times: usize) -> Told {
    let mut told = Told { statuses: Vec::new(), body: Value::Null, activity: said.activity.clone() };
    let is_answered = |told: &Told| told.statuses.iter().any(|status| *status != 0);
    while told.statuses.len() < times.max(1) || told.statuses.len() < TIMES && !is_answered(&told) {
        let silence = silent(clock, resend_ms);
        tokio::select! {
            answer = post(url, &said) => match answer {
                Ok((status, body)) => {
                    told.statuses.push(status);
                    told.body = body;
                }
                Err(_) => told.statuses.push(0),
            },
            () = silence => told.statuses.push(0),
        }
    }
    told
}

/// Waits so long, by the emulator's clock, which may be advanced meanwhile; where it stands still, real time counts.
async fn silent(clock: &Clock, milliseconds: i64) {
    let (began, began_ms) = (Instant::now(), clock.now_ms());
    while clock.now_ms() < began_ms + milliseconds && (began.elapsed().as_millis() as i64) < milliseconds {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn post(url: &Url, said: &Said) -> Result<(u16, Value), Failed> {
    let headers = [("content-type", "application/json; charset=utf-8"), ("authorization", &*said.authorization)];
    let answer = client::post(url, &headers, said.activity.to_string().into()).await?;
    Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
}
