//! What a refusal means: the one place that looks at the status of Graph's answers.
//!
//! Throttling, 5xx and timeouts are repeated by the client before they come here; a 401 of one scope, with a token that
//! serves others, comes as [`Error::PermissionDenied`], as a 403 does. What is left:
//!
//! | answer | to | means |
//! |---|---|---|
//! | 400, 404, 410 | a link | it has died: the scope is read again, once |
//! | 404 | the first page of a discovered scope | asked once more, then skipped and reported: it was deleted meanwhile |
//! | 403, or a 401 of it alone | a discovered scope | skipped with `on_forbidden=skip`, otherwise an error |
//! | 402, 405, 501 | an export | no export API here: messages are listed |
//! | 400, 404 | an export | the same once several parents in a row say so; one parent alone is listed |
//! | 403, or a 401 of it alone | an export | this parent is listed |
//! | 409, 424; 500, 502, 504, a timeout, a circle of links | the export of a history | this parent is listed |
//! | 400, 404, 405, 501 | channel delta | channels are listed |
//! | 409, 410, 424; 500, 502, 504, a timeout | channel delta | this channel is listed |
//! | 400 | the first page of an export | perhaps too large: a small one is asked for |
//! | 500, 502, 504, a timeout | a page of messages | perhaps too heavy: a small one is asked for |
//! | 400, 501 | a list with `$expand` | the list without it |
//! | 401, 403, 404 | a list that another can stand in for | the other list is asked |
//! | 4xx, 501 | the settings of a team | they stay null |
//! | 401, 403, 404 | a hosted content, a transcript's text | its row says so, or stays null |
//! | anything else | | the scope fails; the others go on unless the error ends the run |
//!
//! Uses errors and options. It sends nothing and changes nothing: `context` carries a verdict out.

use teams_base::error::{Error, GraphFailure};
use teams_base::graph::endpoint;
use teams_base::options::OnForbidden;
use teams_client::metrics::Skipped;

pub const GONE: &str = "it is listed, but it was not found twice";
pub const FORBIDDEN: &str = "access was refused, and on_forbidden=skip";

/// What becomes of a scope after a step of it has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is read again from its first page, because its link has died.
    Restart,
    /// It was not found, and is asked for once more.
    Confirm,
    /// It is left out and reported, with this reason.
    Skip(&'static str),
    Fail,
}

/// What has to be known of a step that failed.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any can go with any")]
pub struct Attempt {
    /// An option names the scope: it has to be there.
    pub is_named: bool,
    pub is_first_page: bool,
    pub was_restarted: bool,
    pub was_confirmed: bool,
}

/// How a read goes on after a step of a scope failed.
pub fn verdict(error: &Error, attempt: Attempt, on_forbidden: OnForbidden) -> Verdict {
    if !attempt.is_first_page && is_dead_link(error) && !attempt.was_restarted {
        return Verdict::Restart;
    }
    match error {
        _ if attempt.is_named => Verdict::Fail,
        Error::NotFound(_) if attempt.is_first_page && !attempt.was_confirmed => Verdict::Confirm,
        Error::NotFound(_) if attempt.is_first_page => Verdict::Skip(GONE),
        Error::PermissionDenied(_) if on_forbidden == OnForbidden::Skip => Verdict::Skip(FORBIDDEN),
        _ => Verdict::Fail,
    }
}

/// A link or a delta token is no longer taken. How long links live is not documented; a delta token that has expired is
/// answered by 410 (`syncStateNotFound`, `resyncRequired`).
pub fn is_dead_link(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 410))
}

/// What a refusal says of an API that not every cloud or tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It does not exist here.
    NotOffered,
    /// Either that, or what was asked for is gone.
    Unclear,
    /// This parent or child may not be read in this way.
    Forbidden,
    /// The server breaks down over this parent each time.
    Broken,
}

/// `None` for an error that is no refusal of the export.
pub fn export_refusal(error: &Error) -> Option<Refusal> {
    match error.status() {
        _ if error.ends_run() => None,
        _ if matches!(error, Error::PermissionDenied(_)) => Some(Refusal::Forbidden),
        Some(402 | 405 | 501) => Some(Refusal::NotOffered),
        Some(400 | 404) => Some(Refusal::Unclear),
        Some(409 | 424) => Some(Refusal::Broken),
        _ if may_be_too_heavy(error) || matches!(error, Error::Protocol(_)) => Some(Refusal::Broken),
        _ => None,
    }
}

/// `None` for an error that is no refusal of channel delta, or of something that was asked for after it.
pub fn delta_refusal(error: &Error) -> Option<Refusal> {
    if error.graph()?.endpoint != endpoint::CHANNEL_MESSAGES_DELTA.template || error.ends_run() {
        return None;
    }
    match error.status() {
        Some(400 | 405 | 501) => Some(Refusal::NotOffered),
        Some(404) => Some(Refusal::Unclear),
        Some(409 | 410 | 424) => Some(Refusal::Broken),
        _ if may_be_too_heavy(error) => Some(Refusal::Broken),
        _ => None,
    }
}

/// A page may have been too large. A host that did not answer gets this one chance too: where large pages come too
/// late, nothing else may have been asked.
pub fn may_be_too_large(error: &Error) -> bool {
    error.graph().is_some_and(|failure| failure.status == Some(400) || failure.timed_out)
}

/// The server breaks down over a page each time, so that a smaller one is worth a try.
pub fn may_be_too_heavy(error: &Error) -> bool {
    error.graph().is_some_and(|failure| matches!(failure.status, Some(500 | 502 | 504)) || failure.timed_out)
}

/// A failure of pages of every size that was tried, with the option for still smaller ones.
pub fn with_smaller_top(mut error: Error, top: u32) -> Error {
    if let (Error::Service(failure), 2..) = (&mut error, top) {
        add_remedy(
            failure,
            &format!("If its pages are too heavy for the server, a smaller top helps: top={}", top / 2),
        );
    }
    error
}

/// A failure of an export where nothing but exports may be read, with the option that reads lists too.
pub fn with_other_strategy(mut error: Error) -> Error {
    if let Error::Service(failure) = &mut error
        && !failure.gave_up
    {
        add_remedy(failure, "strategy=auto reads lists where an export fails");
    }
    error
}

/// Whether a list may be refused because of its `$expand`.
pub fn refuses_expand(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 501))
}

/// A list is refused or does not exist here, so that another way to the same things is worth a request.
pub fn is_refused_or_absent(error: &Error) -> bool {
    matches!(error, Error::PermissionDenied(_) | Error::NotFound(_))
}

/// The answer would be the same another time.
pub fn is_final(error: &Error) -> bool {
    error.status().is_some_and(|status| matches!(status, 400..=407 | 409..=428 | 501))
}

/// Why the bytes of a hosted content are missing, as its row says it; `None` for an error.
pub fn missing_content(error: &Error, on_forbidden: OnForbidden) -> Option<&'static str> {
    match error {
        Error::NotFound(_) => Some("not_found"),
        Error::PermissionDenied(_) if on_forbidden == OnForbidden::Skip => Some("forbidden"),
        _ => None,
    }
}

/// A refused list of a snapshot, with what the tenant may lack (`prerequisites`, which may be empty) and with why
/// `on_forbidden` does not help.
pub fn explain_list(mut error: Error, prerequisites: &str, is_named: bool, on_forbidden: OnForbidden) -> Error {
    let is_forbidden = matches!(error, Error::PermissionDenied(_));
    if let Error::PermissionDenied(failure) | Error::NotFound(failure) | Error::Service(failure) = &mut error {
        add_general_remedy(failure, prerequisites);
        if is_forbidden && !is_named && on_forbidden == OnForbidden::Skip {
            add_remedy(
                failure,
                "A snapshot is whole or an error, so on_forbidden=skip does not apply: name what can be read",
            );
        }
    }
    error
}

/// A refused list of meetings, with what the tenant may lack beside the permission.
pub fn explain_meetings(mut error: Error) -> Error {
    if let Error::PermissionDenied(failure) = &mut error
        && failure.endpoint != endpoint::CALL_RECORDS.template
    {
        add_general_remedy(
            failure,
            "Meetings also need an application access policy that is granted to their organizers \
             (New-CsApplicationAccessPolicy, Grant-CsApplicationAccessPolicy)",
        );
    }
    error
}

/// A scope that is left out, for the report.
pub fn skipped(failure: &GraphFailure, reason: &str) -> Skipped {
    Skipped {
        scope: failure.scope.clone(),
        endpoint: failure.endpoint.to_owned(),
        status: failure.status,
        code: failure.code.clone(),
        reason: reason.to_owned(),
        request_id: failure.request_id.clone(),
        remedy: failure.remedy.clone(),
    }
}

/// Adds what may help, unless the answer says what does.
fn add_general_remedy(failure: &mut GraphFailure, text: &str) {
    if !failure.tells_why && !text.is_empty() {
        add_remedy(failure, text);
    }
}

fn add_remedy(failure: &mut GraphFailure, text: &str) {
    if !failure.remedy.is_empty() {
        failure.remedy.push_str(". ");
    }
    failure.remedy.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16) -> Error {
        let failure = Box::new(GraphFailure { status: Some(status), ..GraphFailure::default() });
        match status {
            401 | 403 => Error::PermissionDenied(failure),
            404 => Error::NotFound(failure),
            _ => Error::Service(failure),
        }
    }

    const FIRST: Attempt = Attempt { is_named: false, is_first_page: true, was_restarted: false, was_confirmed: false };

    #[test]
    fn each_refusal_has_one_meaning() {
        let named = Attempt { is_named: true, ..FIRST };
        let confirmed = Attempt { was_confirmed: true, ..FIRST };
        let linked = Attempt { is_first_page: false, ..FIRST };
        let restarted = Attempt { was_restarted: true, ..linked };
        let (fail, skip) = (OnForbidden::Fail, OnForbidden::Skip);
        for (status, attempt, on_forbidden, expected) in [
            (404, FIRST, fail, Verdict::Confirm),
            (404, confirmed, fail, Verdict::Skip(GONE)),
            (404, named, skip, Verdict::Fail),
            (404, linked, fail, Verdict::Restart),
            (404, restarted, fail, Verdict::Fail),
            (403, FIRST, fail, Verdict::Fail),
            (403, FIRST, skip, Verdict::Skip(FORBIDDEN)),
            (403, linked, skip, Verdict::Skip(FORBIDDEN)),
            (403, named, skip, Verdict::Fail),
            (401, FIRST, skip, Verdict::Skip(FORBIDDEN)),
            (401, named, skip, Verdict::Fail),
            (410, linked, fail, Verdict::Restart),
            (410, FIRST, skip, Verdict::Fail),
            (400, Attempt { is_named: true, ..linked }, fail, Verdict::Restart),
            (400, FIRST, skip, Verdict::Fail),
            (503, linked, skip, Verdict::Fail),
        ] {
            assert_eq!(verdict(&error(status), attempt, on_forbidden), expected, "{status} {attempt:?}");
        }
    }

    #[test]
    fn an_export_is_refused_in_three_ways() {
        for (status, expected) in [
            (402, Some(Refusal::NotOffered)),
            (405, Some(Refusal::NotOffered)),
            (501, Some(Refusal::NotOffered)),
            (400, Some(Refusal::Unclear)),
            (404, Some(Refusal::Unclear)),
            (403, Some(Refusal::Forbidden)),
            (401, Some(Refusal::Forbidden)),
            (409, Some(Refusal::Broken)),
            (424, Some(Refusal::Broken)),
            (502, Some(Refusal::Broken)),
            (410, None),
            (503, None),
        ] {
            assert_eq!(export_refusal(&error(status)), expected, "{status}");
        }
    }

    fn remedy(error: &Error) -> &str {
        &error.graph().unwrap().remedy
    }

    #[test]
    fn a_401_of_one_list_is_explained_as_a_403_is() {
        for status in [401, 403] {
            let error = explain_list(error(status), "a license", false, OnForbidden::Skip);
            assert!(remedy(&error).contains("a license") && remedy(&error).contains("on_forbidden"), "{error}");
        }
        let error = explain_list(error(404), "a license", false, OnForbidden::Skip);
        assert_eq!(remedy(&error), "a license");
    }

    #[test]
    fn what_the_answer_says_is_not_said_again() {
        let failure = |tells_why, remedy: &str| {
            let remedy = remedy.to_owned();
            let endpoint = endpoint::TRANSCRIPTS.template;
            Error::PermissionDenied(Box::new(GraphFailure { endpoint, tells_why, remedy, ..GraphFailure::default() }))
        };
        let policy = "grant it an application access policy (New-CsApplicationAccessPolicy)";
        assert_eq!(remedy(&explain_meetings(failure(true, policy))), policy);
        let general = explain_meetings(failure(false, "Grant the permission"));
        assert!(remedy(&general).starts_with("Grant the permission. Meetings also need"), "{general}");
        let list = explain_list(failure(true, "restore it"), "a license", true, OnForbidden::Skip);
        assert_eq!(remedy(&list), "restore it");
    }
}
