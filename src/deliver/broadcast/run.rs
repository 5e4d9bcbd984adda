//! All recipients of a broadcast, side by side, each with its own conversation: what is not sent yet is sent.
//!
//! A message has no key that makes a repeat harmless. It is written down as attempted before it leaves, and an attempt whose
//! answer is lost is unknown and not repeated: a later run does what `on_unknown` says.

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::time::sleep;

use super::conversation::{Place, Refusal, Tried};
use super::job::{Job, Outcome, now_ms};
use super::journal::Event;
use super::message::Message;
use super::plan::OnUnknown;
use super::recipients::{Kind, Recipient};
use super::reconcile::Found;
use crate::connector::calls::send;
use crate::connector::{Call, Next, State, Verdict, judge};
use teams_base::error::{Error, Result};

/// Recipients at work at one time.
const LANES: usize = 128;
/// So many that are refused with 400 and none that succeeds: it is the message, and not the recipients.
const ALL_BAD: u64 = 20;
/// How often a message is tried while other operations on its conversation are under way.
const MOST_AGAIN: u32 = 5;

impl Job {
    /// Sends what is not sent yet. An error is one of which nothing is known but that it ends the run.
    pub async fn run(&self) -> Result<Outcome> {
        self.note(Event::Run { t: now_ms() })?;
        self.settle().await?;
        self.wait_for_window().await;
        let mut work = Vec::new();
        for at in 0..self.recipients.len() {
            if self.is_open(self.state(at)?) {
                work.push(at);
            }
        }
        let fatal = parking_lot::Mutex::new(None);
        stream::iter(&work)
            .map(|&at| {
                let fatal = &fatal;
                async move {
                    if self.is_stopped() {
                        return;
                    }
                    if let Err(error) = self.one(at).await {
                        self.stop(error.to_string());
                        fatal.lock().get_or_insert(error);
                    }
                }
            })
            .buffer_unordered(LANES)
            .collect::<()>()
            .await;
        if self.is_over() {
            self.cancel(&work)?;
        }
        match fatal.into_inner() {
            // It is told as the reason why the run stopped; what was not sent stays queued.
            Some(error) if error.graph().is_some() || matches!(error, Error::Authentication(_)) => {
                Ok(Outcome { failed: true, ..self.outcome() })
            }
            Some(error) => Err(error),
            None => Ok(self.outcome()),
        }
    }

    fn is_open(&self, state: State) -> bool {
        match state {
            State::Queued | State::Throttled => true,
            State::Failed | State::NotInstalled | State::Blocked => self.plan.retry_failed,
            _ => false,
        }
    }

    /// An attempt that a dead process left behind is unknown; then what is unknown is skipped, opened again, or looked for.
    async fn settle(&self) -> Result<()> {
        for at in 0..self.recipients.len() {
            let i = at as u32;
            if self.journal.state(at) == State::Attempting {
                let why = "the process ended before the answer came: it may have been delivered".to_owned();
                let ended = Event::Ended { i, state: State::Unknown, code: "lost_answer".into(), why, h: None, n: 0 };
                self.note(ended)?;
            }
            if self.journal.state(at) != State::Unknown {
                continue;
            }
            match self.plan.on_unknown {
                OnUnknown::Skip => {}
                OnUnknown::Resend => self.requeue(i)?,
                OnUnknown::Reconcile => self.reconcile(at).await?,
            }
        }
        Ok(())
    }

    fn requeue(&self, i: u32) -> Result<()> {
        let (code, why) = (String::new(), String::new());
        self.note(Event::Ended { i, state: State::Queued, code, why, h: None, n: 0 })
    }

    async fn reconcile(&self, at: usize) -> Result<()> {
        let recipient = self.recipients.get(at)?;
        let (i, sent_at) = (at as u32, self.journal.entry(at).sent_at);
        match self.look(&recipient, sent_at).await? {
            Found::Standing(id) => {
                let digest = self.message(&recipient).map_or(0, |message| message.digest);
                self.note(Event::Sent { i, t: sent_at, id: Some(id), k: digest, h: 200, n: 0 })
            }
            Found::Nothing => self.requeue(i),
            Found::Unreadable(why) => {
                let why = format!("its chat could not be looked through: {why}");
                self.note(Event::Ended { i, state: State::Unknown, code: "unreadable_chat".into(), why, h: None, n: 0 })
            }
        }
    }

    /// Waits until the broadcast may begin.
    async fn wait_for_window(&self) {
        while let Some(wait) = self.plan.not_before.map(|begin| begin - now_ms()).filter(|wait| *wait > 0) {
            sleep(Duration::from_millis(wait.unsigned_abs().min(60_000))).await;
        }
    }

    fn is_over(&self) -> bool {
        self.plan.not_after.is_some_and(|end| now_ms() > end)
    }

    /// What is left once the time is over is not sent any more.
    fn cancel(&self, work: &[usize]) -> Result<()> {
        for &at in work {
            if self.is_open(self.state(at)?) {
                let why = "not_after has passed".to_owned();
                let code = "too_late".to_owned();
                self.note(Event::Ended { i: at as u32, state: State::Canceled, code, why, h: None, n: 0 })?;
            }
        }
        Ok(())
    }

    async fn one(&self, at: usize) -> Result<()> {
        if self.is_over() {
            self.stop("not_after has passed");
            return Ok(());
        }
        let recipient = self.recipients.get(at)?;
        let message = match self.message(&recipient) {
            Ok(message) => message,
            Err((code, why)) => return self.ended(at, State::Failed, code, &why, None),
        };
        match recipient.kind {
            Kind::Channel => self.to_channel(at, &recipient, &message).await,
            Kind::Webhook => self.to_webhook(at, &recipient, &message).await,
            Kind::User => self.to_person(at, &recipient, &message).await,
        }
    }

    async fn to_channel(&self, at: usize, recipient: &Recipient, message: &Message) -> Result<()> {
        for again in 0..=MOST_AGAIN {
            let service = self.service();
            self.journal.keep(Event::Attempt { i: at as u32, t: now_ms() }).await?;
            let request = self.bot.post(&service, &recipient.id, &message.activity);
            match self.client.send(&request).await {
                Ok(answer) => {
                    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                    let (c, s) = (recipient.id.clone(), service.to_string());
                    self.note(Event::Opened { i: at as u32, c, s })?;
                    let id = said["activityId"].as_str().map(str::to_owned);
                    return self.sent(at, id, message, answer.status, answer.throttled);
                }
                Err(error) => {
                    let verdict = judge(Call::Send, &error);
                    // After the last one its refusal stands, so that no recipient is left as attempted.
                    let goes_on = again < MOST_AGAIN
                        && match verdict.next {
                            Next::OtherHost => self.go_elsewhere(&service),
                            Next::Again => true,
                            _ => false,
                        };
                    if !goes_on {
                        return self.refused(at, &verdict, &error);
                    }
                    sleep(Duration::from_millis(200 << again)).await;
                }
            }
        }
        Ok(())
    }

    async fn to_person(&self, at: usize, recipient: &Recipient, message: &Message) -> Result<()> {
        let mut tried = Tried::default();
        let mut again = 0;
        loop {
            let place = match self.place(at, recipient, &mut tried).await {
                Ok(place) => place,
                Err(Refusal::Run(error)) => return Err(error),
                Err(Refusal::Recipient(verdict, why)) => {
                    return self.ended(at, verdict.state, &verdict.code, &told(&why, &verdict), None);
                }
            };
            let Place { service, conversation } = &place;
            self.journal.keep(Event::Attempt { i: at as u32, t: now_ms() }).await?;
            let error = match self.client.send(&send(service, conversation, &message.activity)).await {
                Ok(answer) => {
                    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                    let id = said["id"].as_str().map(str::to_owned);
                    return self.sent(at, id, message, answer.status, answer.throttled);
                }
                Err(error) => error,
            };
            let verdict = judge(Call::Send, &error);
            match verdict.next {
                Next::Install if self.plan.install && Self::is_untried(&tried) => {
                    self.note(Event::Forgotten { i: at as u32 })?;
                    tried.reopened = true;
                    match self.install(recipient, &mut tried, &verdict).await {
                        Ok(()) => {}
                        Err(Refusal::Run(error)) => return Err(error),
                        Err(Refusal::Recipient(verdict, why)) => {
                            return self.ended(at, verdict.state, &verdict.code, &told(&why, &verdict), error.status());
                        }
                    }
                }
                Next::Reopen if !tried.reopened => {
                    self.note(Event::Forgotten { i: at as u32 })?;
                    tried.reopened = true;
                }
                Next::OtherHost if self.go_elsewhere(service) => {
                    self.note(Event::Forgotten { i: at as u32 })?;
                    tried.reopened = true;
                }
                Next::Again if again < MOST_AGAIN => {
                    sleep(Duration::from_millis(200 << again)).await;
                    again += 1;
                }
                _ => {
                    if matches!(verdict.next, Next::Forget | Next::Reopen | Next::Install) {
                        self.note(Event::Forgotten { i: at as u32 })?;
                    }
                    return self.refused(at, &verdict, &error);
                }
            }
        }
    }

    fn sent(&self, at: usize, id: Option<String>, message: &Message, status: u16, throttled: u32) -> Result<()> {
        self.progress.sent();
        let (i, t) = (at as u32, now_ms());
        self.note(Event::Sent { i, t, id, k: message.digest, h: status, n: throttled })
    }

    /// A refusal that is final for now; some end the run.
    fn refused(&self, at: usize, verdict: &Verdict, error: &Error) -> Result<()> {
        let why = told(&error.to_string(), verdict);
        if verdict.next == Next::StopRun {
            self.stop(why.clone());
        }
        if verdict.state == State::Queued {
            self.requeue(at as u32)?;
            return if verdict.next == Next::StopRun { Err(error.clone()) } else { Ok(()) };
        }
        let throttled = error.graph().filter(|_| error.status() == Some(429)).map_or(0, |failure| failure.retries);
        let ended = Event::Ended {
            i: at as u32,
            state: verdict.state,
            code: verdict.code.clone(),
            why,
            h: error.status(),
            n: throttled,
        };
        self.note(ended)?;
        self.count(verdict.state, error.status());
        Ok(())
    }

    /// A workflow took it, which is all that is ever known.
    pub(super) fn accepted(&self, at: usize, message: &Message) -> Result<()> {
        self.sent(at, None, message, 202, 0)?;
        let (code, why) = (String::new(), String::new());
        self.note(Event::Ended { i: at as u32, state: State::Accepted, code, why, h: None, n: 0 })
    }

    pub(super) fn ended(&self, at: usize, state: State, code: &str, why: &str, status: Option<u16>) -> Result<()> {
        let (code, why) = (code.to_owned(), why.to_owned());
        self.note(Event::Ended { i: at as u32, state, code, why, h: status, n: 0 })?;
        self.count(state, status);
        Ok(())
    }

    /// Ends the run where so many recipients fail that going on would only make more of them.
    fn count(&self, state: State, status: Option<u16>) {
        if state == State::Throttled || state == State::Queued {
            return;
        }
        let failed = self.progress.fail();
        if let Some(most) = self.plan.max_failures.filter(|most| failed >= *most) {
            self.stop(format!("{failed} recipients failed, and max_failures is {most}"));
        }
        let (_, succeeded, _) = self.progress.counts();
        if status == Some(400) && succeeded == 0 && failed >= ALL_BAD {
            self.stop(format!("the service refused the message for the first {failed} recipients: check the card"));
        }
    }
}

/// What is kept of a refusal: what was said, and what to do.
fn told(said: &str, verdict: &Verdict) -> String {
    if verdict.remedy.is_empty() { said.to_owned() } else { format!("{said}. {}", capitalised(verdict.remedy)) }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
