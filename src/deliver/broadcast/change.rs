//! What was sent is replaced by the card as it is now, or taken back.

use futures::{StreamExt, stream};

use super::job::{Job, Outcome};
use super::journal::Event;
use crate::connector::calls::{delete, update};
use crate::connector::{Call, Next, State, judge};
use teams_base::error::{Error, Result};
use url::Url;

/// Messages at work at one time.
const LANES: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Update,
    Recall,
}

impl Job {
    /// Changes what was sent. A message whose id was never told stays as it is.
    pub async fn change(&self, change: Change) -> Result<Outcome> {
        let work: Vec<usize> =
            (0..self.recipients.len()).filter(|at| self.journal.state(*at) == State::Succeeded).collect();
        let fatal = parking_lot::Mutex::new(None);
        stream::iter(work)
            .map(|at| {
                let fatal = &fatal;
                async move {
                    if self.is_stopped() {
                        return;
                    }
                    if let Err(error) = self.change_one(at, change).await {
                        self.stop(error.to_string());
                        fatal.lock().get_or_insert(error);
                    }
                }
            })
            .buffer_unordered(LANES)
            .collect::<()>()
            .await;
        match fatal.into_inner() {
            Some(error) if error.graph().is_none() && !matches!(error, Error::Authentication(_)) => Err(error),
            fatal => Ok(Outcome { failed: fatal.is_some(), ..self.outcome() }),
        }
    }

    async fn change_one(&self, at: usize, change: Change) -> Result<()> {
        let i = at as u32;
        let entry = self.journal.entry(at);
        let kept = |code: &str, why: String| Event::Kept { i, code: code.to_owned(), why };
        let (Some(conversation), Some(service), Some(id)) = (&entry.conversation, &entry.service, &entry.activity)
        else {
            let why = "the service did not tell the message's id when it was sent".to_owned();
            return self.note(kept("no_activity_id", why));
        };
        let Ok(service) = Url::parse(service) else {
            return self.note(kept("no_service_url", "its service URL is not an address".to_owned()));
        };
        let (request, event) = match change {
            Change::Recall => (delete(&service, conversation, id), Event::Recalled { i }),
            Change::Update => {
                let recipient = self.recipients.get(at)?;
                let message = match self.message(&recipient) {
                    Ok(message) => message,
                    Err((code, why)) => return self.note(kept(code, why)),
                };
                if message.digest == entry.card {
                    return Ok(());
                }
                (update(&service, conversation, id, &message.activity), Event::Updated { i, k: message.digest })
            }
        };
        match self.client.send(&request).await {
            Ok(_) => {
                self.progress.sent();
                self.note(event)
            }
            // It is gone already, which is what was wanted.
            Err(Error::NotFound(_)) if change == Change::Recall => self.note(event),
            Err(error) => {
                let verdict = judge(Call::Change, &error);
                if verdict.next == Next::StopRun {
                    return Err(error);
                }
                self.progress.fail();
                self.note(kept(&verdict.code, error.to_string()))
            }
        }
    }
}
