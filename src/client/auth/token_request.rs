//! What requests for a token have in common, whichever service grants it: when they are repeated, and how the grant is read.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::provider::AccessToken;
use crate::http::retry::{Trial, random};
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::secret::Secret;

/// The life of a token whose answer does not tell.
const USUAL_LIFE: u64 = 3_599;
const LONGEST_LIFE: u64 = 7 * 86_400;

/// A request for a token that was refused or not answered.
pub(super) struct Refusal {
    pub failure: AuthFailure,
    /// Set where another attempt may help.
    pub again: Option<Again>,
}

pub(super) struct Again {
    /// How long attempts may go on failing like this.
    pub within: Duration,
    /// How long the service asks to wait.
    pub after: Option<Duration>,
}

/// Asks until a token is granted, another attempt cannot help, or the time is used up. A secret or certificate that
/// cannot be read is the error at once.
pub(super) async fn acquire<F>(service: &str, limit: Duration, ask: impl Fn() -> F) -> Result<AccessToken>
where
    F: Future<Output = Result<Result<AccessToken, Refusal>>>,
{
    let mut trial = Trial::new(limit, random);
    loop {
        let started = Instant::now();
        let Refusal { failure, again } = match ask().await? {
            Ok(token) => return Ok(token),
            Err(refusal) => refusal,
        };
        let wait = again.and_then(|again| trial.again_within(again.within, started.elapsed(), again.after));
        let Some(wait) = wait else { return Err(Error::Authentication(Box::new(failure))) };
        log::debug!("{service}: {}; again in {:.1} s", failure.status.unwrap_or(0), wait.as_secs_f64());
        tokio::time::sleep(wait).await;
    }
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_on: Value,
}

/// The token of an answer with status 200. Its life counts from the moment it was asked for. `expires_on`, which only
/// managed identities send, is a time on the server's clock, and usually a string; `expires_in` needs no clock.
pub(super) fn granted(body: &[u8], asked_at: Instant, date: Option<Timestamp>) -> Option<AccessToken> {
    let grant: Grant = serde_json::from_slice(body).ok()?;
    let secret = Secret::new(grant.access_token);
    let now = date.unwrap_or_else(Timestamp::now).as_second() as u64;
    let left = seconds(&grant.expires_in).or_else(|| Some(seconds(&grant.expires_on)?.saturating_sub(now)));
    let life = Duration::from_secs(left.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE));
    (!secret.expose().is_empty()).then(|| AccessToken { secret, expires_at: asked_at + life })
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_token_is_read_in_every_form() {
        let (now, date) = (Instant::now(), Timestamp::from_second(1_000_000).unwrap());
        for (body, life) in [
            (r#"{"access_token":"t","expires_in":60}"#, 60),
            (r#"{"access_token":"t","expires_in":"60"}"#, 60),
            (r#"{"access_token":"t"}"#, USUAL_LIFE),
            (r#"{"access_token":"t","expires_in":99999999999}"#, LONGEST_LIFE),
            (r#"{"access_token":"t","expires_on":"1000060"}"#, 60),
            (r#"{"access_token":"t","expires_on":1000060}"#, 60),
            (r#"{"access_token":"t","expires_in":"70","expires_on":"1"}"#, 70),
            (r#"{"access_token":"t","expires_on":"1"}"#, 0),
            (r#"{"access_token":"t","expires_on":"soon"}"#, USUAL_LIFE),
            (r#"{"access_token":"t","expires_on":"99999999999"}"#, LONGEST_LIFE),
        ] {
            let token = granted(body.as_bytes(), now, Some(date)).unwrap();
            assert_eq!(token.expires_at, now + Duration::from_secs(life), "{body}");
        }
        for bad in [r#"{"access_token":""}"#, "{}", "<html>", ""] {
            assert!(granted(bad.as_bytes(), now, None).is_none(), "{bad}");
        }
    }
}
