//! Single messages of a bot: to a person, to a conversation, to a channel. Nothing is repeated that may have had an effect.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use url::Url;

use super::calls::{self, Bot};
use super::outcome::{Call, Next, State, Verdict, judge};
use teams_base::error::Error;
use teams_client::{GraphClient, Request};

/// How often a message is tried while other operations on its conversation are under way.
const MOST_AGAIN: u32 = 5;

/// Sends what a bot says by itself, or answers.
#[derive(Clone)]
pub struct Courier {
    pub client: GraphClient,
    pub bot: Bot,
    /// Where a first contact goes.
    pub service: Url,
}

/// A message that the service took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub conversation: String,
    pub service: Url,
    /// Of the message, where the service tells it.
    pub activity: Option<String>,
}

/// One that it did not take, or of which nothing is known.
#[derive(Debug)]
pub struct Failed {
    pub verdict: Verdict,
    pub error: Error,
}

impl Courier {
    async fn ask(&self, call: Call, request: &Request) -> Result<Value, Failed> {
        let mut again = 0;
        loop {
            let error = match self.client.send(request).await {
                Ok(answer) => return Ok(serde_json::from_slice(&answer.body).unwrap_or_default()),
                Err(error) => error,
            };
            let verdict = judge(call, &error);
            if verdict.next != Next::Again || again == MOST_AGAIN {
                return Err(Failed { verdict, error });
            }
            sleep(Duration::from_millis(200 << again)).await;
            again += 1;
        }
    }

    /// The conversation with a person, by object id.
    pub async fn open(&self, user: &str) -> Result<Taken, Failed> {
        let said = self.ask(Call::Open, &self.bot.open(&self.service, user)).await?;
        let none = || {
            let code = "no_conversation".to_owned();
            let verdict = Verdict { state: State::Failed, code, next: Next::Rest, remedy: "" };
            Failed { verdict, error: Error::configuration("The answer names no conversation") }
        };
        let conversation = said["id"].as_str().ok_or_else(none)?.to_owned();
        Ok(Taken { conversation, service: self.service.clone(), activity: None })
    }

    /// A new post in a channel.
    pub async fn post(&self, service: &Url, channel: &str, activity: &Value) -> Result<Taken, Failed> {
        let said = self.ask(Call::Send, &self.bot.post(service, channel, activity)).await?;
        Ok(taken(channel, service, said["activityId"].as_str()))
    }

    pub async fn send(&self, service: &Url, conversation: &str, activity: &Value) -> Result<Taken, Failed> {
        let said = self.ask(Call::Send, &calls::send(service, conversation, activity)).await?;
        Ok(taken(conversation, service, said["id"].as_str()))
    }

    pub async fn update(&self, service: &Url, conversation: &str, id: &str, activity: &Value) -> Result<Taken, Failed> {
        self.ask(Call::Change, &calls::update(service, conversation, id, activity)).await?;
        Ok(taken(conversation, service, Some(id)))
    }

    pub async fn delete(&self, service: &Url, conversation: &str, id: &str) -> Result<Taken, Failed> {
        self.ask(Call::Change, &calls::delete(service, conversation, id)).await?;
        Ok(taken(conversation, service, Some(id)))
    }
}

fn taken(conversation: &str, service: &Url, activity: Option<&str>) -> Taken {
    Taken { conversation: conversation.to_owned(), service: service.clone(), activity: activity.map(str::to_owned) }
}
