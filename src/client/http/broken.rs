//! How connections fail.

use std::error::Error as StdError;
use std::iter::successors;

use rustls::CertificateError;

use super::untrusted::Untrusted;
use teams_base::redact;

/// No answer, or half of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken {
    pub what: String,
    /// Whether no connection came about at all.
    pub connect: bool,
    /// Whether the server certainly did not see the request.
    pub unsent: bool,
    /// Whether the answer did not come, or did not come to its end, in time.
    pub stalled: bool,
    /// Set where trying again cannot help.
    pub remedy: Option<&'static str>,
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        // The error's own text would show the URL with its query.
        let error = error.without_url();
        if let Some(refused) = causes(&error).find_map(refused_certificate) {
            let Untrusted { what, remedy } = Untrusted::because(refused);
            return Self { what, connect: true, unsent: true, stalled: false, remedy: Some(remedy) };
        }
        let what = match (error.is_timeout(), error.is_connect()) {
            (true, true) => "no connection in time".to_owned(),
            (true, false) => "no answer in time".to_owned(),
            (false, true) => format!("no connection: {}", deepest(&error)),
            (false, false) => format!("the connection broke: {}", deepest(&error)),
        };
        let connect = error.is_connect();
        let unsent = connect || is_unprocessed(&error);
        Self { what, connect, unsent, stalled: error.is_timeout() && !connect, remedy: None }
    }
}

/// An error and its causes, the outermost first. An `io::Error` skips the error it wraps, which for TLS is the very one
/// that says what is wrong.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// Innermost causes say what happened; the outer ones only where.
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let innermost = causes(error).last().unwrap_or(error);
    redact::clean(&innermost.to_string())
}

fn refused_certificate<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CertificateError> {
    match error.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(why)) => Some(why),
        _ => None,
    }
}

/// Whether an HTTP/2 server says that it did not act on the request: a refused stream, or a connection that it closes in
/// good order (<https://www.rfc-editor.org/rfc/rfc9113#section-8.7>).
fn is_unprocessed(error: &(dyn StdError + 'static)) -> bool {
    causes(error).filter_map(|error| error.downcast_ref::<h2::Error>()).any(|error| {
        error.is_remote()
            && (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_refused_certificate_is_found_below_wrapped_errors() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(causes(&error).find_map(refused_certificate), Some(&CertificateError::UnknownIssuer));
        assert!(deepest(&error).contains("UnknownIssuer"));
        assert_eq!(causes(&io::Error::other("reset")).find_map(refused_certificate), None);
    }
}
