//! The headers of an answer. The one place that reads `Retry-After`.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use teams_base::redact;
use teams_base::secret::Secret;

/// The headers that matter, from an answer or from an item of a batch.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    pub retry_after: Option<String>,
    pub date: Option<Timestamp>,
    pub request_id: Option<String>,
    /// Where a redirect or what was made is found. The link of a file is signed, and so a secret.
    pub location: Option<Secret>,
}

impl Headers {
    pub fn of(map: &HeaderMap) -> Self {
        Self::pick(|name| map.get(name)?.to_str().ok().map(str::to_owned))
    }

    /// `get` finds a header by its name in lower case.
    pub fn pick(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            retry_after: get("retry-after"),
            date: get("date").and_then(|text| http_date(&text)),
            request_id: get("request-id").map(|id| redact::clean(&id)),
            location: get("location").map(Secret::new),
        }
    }

    /// `Retry-After` as seconds, as a fraction of seconds or as a date. A date counts from the answer's own `Date`,
    /// because this machine's clock may be wrong; one in the past is no wait.
    pub fn wait(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let until = http_date(text)?;
        let since = self.date.unwrap_or_else(Timestamp::now);
        Some(Duration::try_from(until.duration_since(since)).unwrap_or_default())
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_every_form() {
        let date = "Sun, 06 Nov 1994 08:49:30 GMT";
        for (text, expected) in [
            ("7", Some(7.0)),
            (" 2.5 ", Some(2.5)),
            ("0", Some(0.0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7.0)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0.0)),
            ("-3", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = Headers { retry_after: Some(text.into()), date: http_date(date), ..Headers::default() };
            assert_eq!(headers.wait(), expected.map(Duration::from_secs_f64), "{text}");
        }
        assert_eq!(Headers::default().wait(), None);
    }
}
