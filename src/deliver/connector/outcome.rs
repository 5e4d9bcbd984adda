//! Every refusal of the Bot Connector becomes a state, what happens next, and what to do about it: here and nowhere else.
//!
//! Source: the table of status codes in "Build conversational capability"
//! (<https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability>), and "Send proactive messages".

use serde::{Deserialize, Serialize};

use teams_base::error::Error;

/// What became of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Queued,
    /// A request that could have an effect is under way, or its answer was lost with the process.
    Attempting,
    Succeeded,
    /// A workflow took it; whether it was posted is never known.
    Accepted,
    Failed,
    NotFound,
    NotInstalled,
    Blocked,
    Throttled,
    SkippedGuest,
    SkippedUnlicensed,
    /// It may have been delivered.
    Unknown,
    Canceled,
    Recalled,
}

impl State {
    pub const ALL: [Self; 14] = [
        Self::Queued,
        Self::Attempting,
        Self::Succeeded,
        Self::Accepted,
        Self::Failed,
        Self::NotFound,
        Self::NotInstalled,
        Self::Blocked,
        Self::Throttled,
        Self::SkippedGuest,
        Self::SkippedUnlicensed,
        Self::Unknown,
        Self::Canceled,
        Self::Recalled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Attempting => "attempting",
            Self::Succeeded => "succeeded",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::NotFound => "not_found",
            Self::NotInstalled => "not_installed",
            Self::Blocked => "blocked",
            Self::Throttled => "throttled",
            Self::SkippedGuest => "skipped_guest",
            Self::SkippedUnlicensed => "skipped_unlicensed",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
            Self::Recalled => "recalled",
        }
    }
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A conversation with a person: asking again does no harm.
    Open,
    /// A message.
    Send,
    /// A message is replaced or deleted.
    Change,
}

/// What follows, beside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is final for this recipient.
    Rest,
    /// Install the app, ask for the conversation and send once more.
    Install,
    /// Forget the conversation, ask for it and send once more.
    Reopen,
    /// Forget the conversation until the person writes to the bot.
    Forget,
    /// Go to the host of the government community cloud, once, and for the whole tenant.
    OtherHost,
    /// Try again in a moment: another operation on the conversation was under way.
    Again,
    /// No other recipient would do better.
    StopRun,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// The service's own code, or one of ours where it gave none.
    pub code: String,
    pub next: Next,
    pub remedy: &'static str,
}

struct Row {
    status: u16,
    /// Empty: any other code of the status.
    code: &'static str,
    state: State,
    next: Next,
    remedy: &'static str,
}

const fn row(status: u16, code: &'static str, state: State, next: Next, remedy: &'static str) -> Row {
    Row { status, code, state, next, remedy }
}

const INSTALL: &str = "the app is not installed for them: install it, or let this run do it (install: true)";
const BLOCKED: &str = "they blocked the bot or removed the app: nothing can be sent until they write to it";
const LATER: &str = "run it again later";
const MAYBE: &str = "it may have been delivered: on_unknown says what a later run does about it";

/// The first row that fits counts.
const ROWS: &[Row] = &[
    row(400, "", State::Failed, Next::Rest, "the service does not take the message: check the card"),
    row(401, "", State::Queued, Next::StopRun, "check bot_app_id, its secret, and that the bot's Teams channel is on"),
    row(403, "BotDisabledByAdmin", State::Blocked, Next::Forget, "an administrator has blocked the bot"),
    row(403, "BotNotInConversationRoster", State::NotInstalled, Next::Install, INSTALL),
    row(403, "ForbiddenOperationException", State::NotInstalled, Next::Install, INSTALL),
    row(403, "ConversationBlockedByUser", State::Blocked, Next::Forget, BLOCKED),
    row(403, "MessageWritesBlocked", State::Blocked, Next::Forget, BLOCKED),
    row(403, "InvalidBotApiHost", State::Failed, Next::OtherHost, "set bot_service_url to the address of their cloud"),
    row(403, "NotEnoughPermissions", State::Failed, Next::Rest, "the bot may not do this there: check its manifest"),
    row(403, "", State::Failed, Next::Rest, "the bot may not do this there"),
    row(404, "ActivityNotFoundInConversation", State::NotFound, Next::Rest, "the message is gone"),
    row(404, "", State::NotFound, Next::Reopen, "the conversation is gone, or the person is"),
    row(412, "", State::Throttled, Next::Again, LATER),
    row(413, "", State::Failed, Next::StopRun, "the message is too large: shorten the card"),
    row(429, "", State::Throttled, Next::Rest, LATER),
];

/// What an error means for a recipient. An attempt whose answer was lost is unknown, whatever was answered later.
pub fn judge(call: Call, error: &Error) -> Verdict {
    if error.effect_is_unknown() && call == Call::Send {
        let next = if error.ends_run() { Next::StopRun } else { Next::Rest };
        return Verdict { state: State::Unknown, code: code_of(error), next, remedy: MAYBE };
    }
    if error.ends_run() {
        // Nothing was sent of it, and nothing will be for others.
        return Verdict { state: State::Queued, code: code_of(error), next: Next::StopRun, remedy: LATER };
    }
    let status = error.status().unwrap_or_default();
    let said = error.graph().map(|failure| failure.code.as_str()).unwrap_or_default();
    let fits = |row: &&Row| row.status == status && (row.code.is_empty() || row.code.eq_ignore_ascii_case(said));
    match ROWS.iter().find(fits) {
        Some(row) => Verdict { state: row.state, code: code_of(error), next: row.next, remedy: row.remedy },
        // A gateway, or no answer at all, to a request that had no effect or could be repeated.
        None => Verdict { state: State::Failed, code: code_of(error), next: Next::Rest, remedy: LATER },
    }
}

/// The code, or the status where there is none.
fn code_of(error: &Error) -> String {
    let said = error.graph().map(|failure| failure.code.clone()).filter(|code| !code.is_empty());
    said.unwrap_or_else(|| match error.status() {
        Some(status) => status.to_string(),
        None => "no_answer".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use teams_base::error::{AuthFailure, GraphFailure};
    use teams_client::ErrorBody;

    use super::*;

    /// The error that the client makes of an answer.
    fn error(status: u16, body: &str, in_doubt: bool) -> Error {
        let ErrorBody { code, message, .. } = ErrorBody::parse(body.as_bytes());
        let failure = GraphFailure { status: Some(status), code, message, ..GraphFailure::default() };
        let failure = Box::new(failure);
        let error = match status {
            401 => Error::Authentication(Box::new(AuthFailure { status: Some(401), ..AuthFailure::default() })),
            403 => Error::PermissionDenied(failure),
            404 => Error::NotFound(failure),
            429 => Error::Throttled(failure),
            _ => Error::Service(failure),
        };
        if in_doubt { error.in_doubt() } else { error }
    }

    fn body(code: &str) -> String {
        format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#)
    }

    #[test]
    fn every_row_has_its_state_and_what_follows() {
        let blocked = r#"{"errorCode":209,"message":"{\"subCode\":\"MessageWritesBlocked\",\"details\":\"Thread is blocked\",\"errorCode\":null}"}"#;
        for (status, text, state, next) in [
            (400, body("Bad Argument"), State::Failed, Next::Rest),
            (400, body("BadSyntax"), State::Failed, Next::Rest),
            (403, body("BotDisabledByAdmin"), State::Blocked, Next::Forget),
            (403, body("BotNotInConversationRoster"), State::NotInstalled, Next::Install),
            (403, body("ConversationBlockedByUser"), State::Blocked, Next::Forget),
            (403, blocked.to_owned(), State::Blocked, Next::Forget),
            (403, body("ForbiddenOperationException"), State::NotInstalled, Next::Install),
            (403, body("InvalidBotApiHost"), State::Failed, Next::OtherHost),
            (403, body("NotEnoughPermissions"), State::Failed, Next::Rest),
            (403, String::new(), State::Failed, Next::Rest),
            (404, body("ConversationNotFound"), State::NotFound, Next::Reopen),
            (404, body("ActivityNotFoundInConversation"), State::NotFound, Next::Rest),
            (412, body("PreconditionFailed"), State::Throttled, Next::Again),
            (413, body("MessageSizeTooBig"), State::Failed, Next::StopRun),
            (429, body("Throttled"), State::Throttled, Next::Rest),
        ] {
            for call in [Call::Open, Call::Send, Call::Change] {
                let verdict = judge(call, &error(status, &text, false));
                assert_eq!((verdict.state, verdict.next), (state, next), "{status} {text}");
                assert!(!verdict.remedy.is_empty());
            }
        }
        let verdict = judge(Call::Send, &error(403, blocked, false));
        assert_eq!(verdict.code, "MessageWritesBlocked");
        assert_eq!(judge(Call::Send, &error(401, &body("BotNotRegistered"), false)).next, Next::StopRun);
    }

    #[test]
    fn a_lost_answer_is_unknown_for_what_was_sent_and_only_for_that() {
        for status in [408, 500, 502, 503, 504] {
            let lost = error(status, "", true);
            assert_eq!(judge(Call::Send, &lost).state, State::Unknown, "{status}");
            assert_eq!(judge(Call::Open, &lost).state, State::Failed, "{status}");
        }
        // Refused for good, after an attempt whose answer was lost: that attempt may have been delivered.
        assert_eq!(judge(Call::Send, &error(403, &body("ConversationBlockedByUser"), true)).state, State::Unknown);
        assert_eq!(judge(Call::Open, &error(403, &body("ForbiddenOperationException"), true)).next, Next::Install);
    }

    #[test]
    fn names_are_those_that_are_written_down() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
