//! Where a recipient is written to: the conversation, and the app that a person needs for it.

use serde_json::json;
use url::Url;

use super::job::Job;
use super::journal::Event;
use super::recipients::Recipient;
use crate::connector::{Call, Next, State, Verdict, judge};
use crate::fetch::read;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::{Idempotency, Request};

/// The address for the government community cloud, which refuses the global one
/// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages>).
const GCC: &str = "https://smba.infra.gcc.teams.microsoft.com/teams/";

const GLOBAL: &str = "smba.trafficmanager.net";

/// Where to go after a host refused: to the host that another recipient's refusal led to, or from the global one to that of
/// the community cloud. Nowhere from an address that is not the cloud's own.
fn elsewhere(service: &Url, refused: &Url) -> Option<Url> {
    let is_global = |url: &Url| url.domain().is_some_and(|host| host.eq_ignore_ascii_case(GLOBAL));
    match (is_global(refused), is_global(service)) {
        (false, _) => None,
        (true, false) => Some(service.clone()),
        (true, true) => Url::parse(GCC).ok(),
    }
}

/// A conversation that a message can be sent to.
#[derive(Debug, Clone)]
pub struct Place {
    pub service: Url,
    pub conversation: String,
}

/// Why there is none.
pub enum Refusal {
    /// This recipient's, and what it is told.
    Recipient(Verdict, String),
    Run(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

/// What was tried for a recipient already: each of it once.
#[derive(Default)]
pub struct Tried {
    installed: bool,
    pub reopened: bool,
}

impl Job {
    pub(super) fn service(&self) -> Url {
        self.service.lock().clone()
    }

    /// Whether there is another host than the one that refused; first contacts go there from now on.
    pub(super) fn go_elsewhere(&self, refused: &Url) -> bool {
        let mut service = self.service.lock();
        match elsewhere(&service, refused) {
            Some(url) => {
                *service = url;
                true
            }
            None => false,
        }
    }

    /// The conversation that is known, or a new one.
    pub(super) async fn place(&self, at: usize, recipient: &Recipient, tried: &mut Tried) -> Result<Place, Refusal> {
        let entry = self.journal.entry(at);
        if let (Some(conversation), Some(service)) = (entry.conversation, entry.service)
            && let Ok(service) = Url::parse(&service)
        {
            return Ok(Place { service, conversation: conversation.into_string() });
        }
        if !tried.reopened
            && let Some((conversation, service)) = self.known.get(&recipient.id)
            && let Ok(service) = Url::parse(service)
        {
            let known = Place { service, conversation: conversation.clone() };
            self.opened(at, &known)?;
            return Ok(known);
        }
        self.begin(at, recipient, tried).await
    }

    fn opened(&self, at: usize, place: &Place) -> Result<()> {
        let (c, s) = (place.conversation.clone(), place.service.to_string());
        self.note(Event::Opened { i: at as u32, c, s })
    }

    async fn begin(&self, at: usize, recipient: &Recipient, tried: &mut Tried) -> Result<Place, Refusal> {
        let mut again = 0;
        loop {
            let service = self.service();
            let error = match self.client.send(&self.bot.open(&service, &recipient.id)).await {
                Ok(answer) => {
                    let parsed = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
                    if let Some(conversation) = parsed["id"].as_str() {
                        let place = Place { service, conversation: conversation.to_owned() };
                        self.sessions_are_off(&place, recipient).await?;
                        self.opened(at, &place)?;
                        return Ok(place);
                    }
                    let why = format!("the answer {} names no conversation", answer.status);
                    let verdict =
                        Verdict { state: State::Failed, code: "no_conversation".into(), next: Next::Rest, remedy: "" };
                    return Err(Refusal::Recipient(verdict, why));
                }
                Err(error) => error,
            };
            let verdict = judge(Call::Open, &error);
            match verdict.next {
                Next::StopRun => return Err(Refusal::Run(error)),
                Next::Install if self.plan.install && !tried.installed => {
                    self.install(recipient, tried, &verdict).await?;
                }
                Next::OtherHost if self.go_elsewhere(&service) => {}
                Next::Again if again < 5 => {
                    again += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(200 << again)).await;
                }
                _ => return Err(Refusal::Recipient(verdict, error.to_string())),
            }
        }
    }

    /// Asks for the run's first conversation once more. Where that opens another one the app's manifest has sessions on, and
    /// what a resumed run sends would go to new ones: it ends before anything is sent.
    async fn sessions_are_off(&self, place: &Place, recipient: &Recipient) -> Result<()> {
        let ask = || async {
            let Ok(answer) = self.client.send(&self.bot.open(&place.service, &recipient.id)).await else {
                // Whatever it is, it is told of the recipients that it stops.
                return Ok(());
            };
            let said = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
            if said["id"].as_str().is_none_or(|again| again == place.conversation) {
                return Ok(());
            }
            Err(Error::Configuration(
                "the app's manifest has sessions on (supportsSessions), so that each request for a conversation opens another \
                 one: take it out of the manifest and upload the app again"
                    .to_owned(),
            ))
        };
        self.sessions.get_or_try_init(ask).await.map(|&()| ())
    }

    /// Installs the app for a person, once.
    pub(super) async fn install(
        &self,
        recipient: &Recipient,
        tried: &mut Tried,
        before: &Verdict,
    ) -> Result<(), Refusal> {
        tried.installed = true;
        let app = match self.app().await? {
            Ok(app) => app,
            Err(why) => return Err(Refusal::Recipient(before.clone(), why)),
        };
        let bind = format!("https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{app}");
        let segments = ["users", &recipient.id, "teamwork", "installedApps"];
        let request = Request::new(&endpoint::INSTALL_APP, &segments, format!("user {}", recipient.id));
        // Where it is there already the answer is 409.
        let request =
            request.json(json!({"teamsApp@odata.bind": bind}).to_string()).idempotency(Idempotency::Idempotent);
        match self.client.send(&request).await {
            Ok(_) => Ok(()),
            Err(error) if error.ends_run() => Err(Refusal::Run(error)),
            Err(error) => {
                let status = error.status().unwrap_or_default();
                let said = error.graph().map(|failure| failure.message.to_lowercase()).unwrap_or_default();
                let (state, code) = match status {
                    403 if said.contains("policy") => (State::Blocked, "app_policy"),
                    404 => (State::NotInstalled, "app_or_user_not_found"),
                    429 => (State::Throttled, "install_throttled"),
                    _ => (State::NotInstalled, "install_refused"),
                };
                let verdict = Verdict { state, code: code.to_owned(), next: Next::Rest, remedy: "" };
                Err(Refusal::Recipient(verdict, error.to_string()))
            }
        }
    }

    pub(super) fn is_untried(tried: &Tried) -> bool {
        !tried.installed
    }

    /// The app's id in the catalogue, asked for once.
    pub(super) async fn app(&self) -> Result<std::result::Result<String, String>> {
        self.app.get_or_try_init(|| self.find_app()).await.cloned()
    }

    async fn find_app(&self) -> Result<std::result::Result<String, String>> {
        let wanted = self.plan.app.clone().unwrap_or_else(|| self.bot.app_id.clone());
        let quoted = wanted.replace('\'', "''");
        for property in ["externalId", "id"] {
            let request = Request::new(&endpoint::CATALOGUE_APPS, &["appCatalogs", "teamsApps"], "app catalogue");
            let request = request.query("$filter", format!("{property} eq '{quoted}'"));
            match read(&self.client, &request).await {
                Ok(page) => {
                    if let Some(id) = page["value"][0]["id"].as_str() {
                        return Ok(Ok(id.to_owned()));
                    }
                }
                Err(error) if error.ends_run() => return Err(error),
                // What is named may be the catalogue's id itself.
                Err(Error::PermissionDenied(_)) if self.plan.app.is_some() => return Ok(Ok(wanted)),
                Err(error) => return Ok(Err(format!("the app catalogue cannot be read: {error}"))),
            }
        }
        Ok(Err(format!(
            "the app {wanted} is not in the organisation's catalogue: upload its package in the Teams admin center (it may \
             take hours to appear), name it by `app`, or set install: false"
        )))
    }

    /// Why the app could not be installed for anybody, before anything is sent.
    pub async fn missing_app(&self) -> Result<Option<String>> {
        if !self.plan.install {
            return Ok(None);
        }
        Ok(self.app().await?.err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_global_host_everybody_goes_to_that_of_the_community_cloud_once() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (global, amer) =
            (url("https://smba.trafficmanager.net/teams/"), url("https://smba.trafficmanager.net/amer/"));
        let gcc = elsewhere(&global, &global).unwrap();
        assert_eq!(gcc.as_str(), GCC);
        assert_eq!(
            elsewhere(&global, &amer),
            Some(gcc.clone()),
            "a conversation's own address is one of the global host"
        );
        // Others were refused while the first one went there: they follow.
        assert_eq!(elsewhere(&gcc, &global), Some(gcc.clone()));
        assert_eq!(elsewhere(&gcc, &gcc), None, "it is refused there too");
        let own = url("http://127.0.0.1:5000/teams/");
        assert_eq!(elsewhere(&own, &own), None);
    }
}
