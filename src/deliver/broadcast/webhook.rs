//! A channel behind a workflow ("When a Teams webhook request is received"): its address is the secret. Whether the workflow
//! posts the card is never known, so that the best that can become of it is `accepted`
//! (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>).

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use url::Url;

use super::job::{Job, now_ms};
use super::journal::Event;
use super::message::Message;
use super::recipients::Recipient;
use crate::card::check::{LARGE_BYTES, check_size};
use crate::connector::State;
use teams_base::cloud::is_loopback;
use teams_base::error::Result;
use teams_client::Posted;

/// Where workflows are triggered, in the global cloud.
const DOMAINS: [&str; 2] = [".logic.azure.com", ".environment.api.powerplatform.com"];
/// How often one is tried that was refused for its rate, or was not reached.
const MOST_TIMES: u32 = 5;
/// A workflow that asks for a longer pause is left as throttled, for a later run.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Whether an address is that of a workflow; what is wrong, without the address.
pub fn check_address(text: &str) -> std::result::Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is not an address")?;
    let is_workflow = url.scheme() == "https"
        && url.domain().is_some_and(|host| DOMAINS.iter().any(|domain| host.to_ascii_lowercase().ends_with(domain)));
    if is_workflow || is_loopback(&url) {
        return Ok(url);
    }
    Err("it is not the address of a workflow: those are at logic.azure.com or api.powerplatform.com, over https")
}

impl Job {
    pub(super) async fn to_webhook(&self, at: usize, recipient: &Recipient, message: &Message) -> Result<()> {
        let Some(url) = self.webhooks.get(&recipient.id) else {
            return self.ended(at, State::Failed, "no_address", "its address is not in the plan any more", None);
        };
        let card = &message.activity["attachments"][0]["content"];
        let kind = "application/vnd.microsoft.card.adaptive";
        let attachment = json!({"contentType": kind, "contentUrl": null, "content": card});
        let body = json!({"type": "message", "attachments": [attachment]}).to_string();
        let (bytes, _) = check_size(&body);
        if bytes > LARGE_BYTES {
            let why = format!("it takes {bytes} bytes in UTF-16, and a workflow takes {LARGE_BYTES}: shorten the card");
            return self.ended(at, State::Failed, "too_big", &why, None);
        }
        let mut last = (State::Failed, String::new(), None);
        let mut pause = Duration::ZERO;
        for times in 0..MOST_TIMES {
            sleep(pause).await;
            self.journal.keep(Event::Attempt { i: at as u32, t: now_ms() }).await?;
            let asked = match self.client.post_elsewhere(url, body.clone()).await? {
                Posted::Answered { status: 200..=299, .. } => {
                    return self.accepted(at, message);
                }
                Posted::Answered { status: 429, wait } => {
                    last = (State::Throttled, "429".to_owned(), Some(429));
                    wait
                }
                Posted::Answered { status: status @ (408 | 500..), .. } => {
                    let why = format!("it answered {status}, and may have taken the card all the same");
                    return self.ended(at, State::Unknown, &status.to_string(), &why, Some(status));
                }
                Posted::Answered { status, .. } => {
                    let why = format!("it answered {status}: check its address and its owner");
                    return self.ended(at, State::Failed, &status.to_string(), &why, Some(status));
                }
                Posted::Unsent(why) => {
                    last = (State::Failed, why, None);
                    None
                }
                Posted::Lost(why) => return self.ended(at, State::Unknown, "lost_answer", &why, None),
            };
            pause = asked.unwrap_or_else(|| Duration::from_secs(1 << times));
            if pause > LONGEST_WAIT {
                break;
            }
        }
        let (state, why, status) = last;
        self.ended(at, state, "not_taken", &why, status)
    }
}
