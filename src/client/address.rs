//! From a request to its URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::request::{Request, Target};

const VERSION: &str = "/v1.0";
/// What stays as it is in a path segment, such as `19:abc@thread.tacv2`, `microsoft.graph.user` or `report(period='D7')`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'$')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'')
    .remove(b'=');
/// What stays as it is in a query. A space becomes `%20`, because a `+` is also a sign of time zones.
const QUERY: &AsciiSet = &SEGMENT.add(b'=').remove(b',').remove(b'/').remove(b'*');

/// The absolute URL; a link is used exactly as it came.
pub fn absolute(request: &Request, base: &Url) -> Result<Url, &'static str> {
    match &request.target {
        Target::Link(link) => Ok(link.url().clone()),
        Target::Path { .. } => {
            let text = format!("{}{VERSION}{}", base.as_str().trim_end_matches('/'), relative(request, base)?);
            Url::parse(&text).map_err(|_| "the path is not valid")
        }
    }
}

/// The URL below the version, as an item of a batch carries it.
pub fn relative(request: &Request, base: &Url) -> Result<String, &'static str> {
    let (segments, query) = match &request.target {
        Target::Path { segments, query } => (segments, query),
        Target::Link(link) => {
            let below = link.url().as_str().strip_prefix(base.as_str().trim_end_matches('/'));
            return match below.and_then(|path| path.strip_prefix(VERSION)) {
                Some(path) if path.starts_with('/') => Ok(path.to_owned()),
                _ => Err("the link leads out of this version of Graph"),
            };
        }
    };
    let mut url = String::new();
    for segment in segments {
        // A URL parser would take these for steps up the path, even when they are encoded.
        if matches!(segment.as_str(), "" | "." | "..") {
            return Err("an identifier is empty or not an identifier");
        }
        url.push('/');
        url.extend(utf8_percent_encode(segment, SEGMENT));
    }
    for (index, (name, value)) in query.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, QUERY));
        url.push('=');
        url.extend(utf8_percent_encode(value, QUERY));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;
    use teams_base::graph::endpoint;

    #[test]
    fn segments_and_queries_are_encoded() {
        let base = Url::parse("https://graph.microsoft.com").unwrap();
        let request = Request::new(&endpoint::CHANNEL_MESSAGES, &["teams", "a/b?c", "19:x_y@thread.tacv2"], "")
            .query("$filter", "lastModifiedDateTime gt 2025-01-01T00:00:00+01:00 & x")
            .query("$top", 50);
        assert_eq!(
            absolute(&request, &base).unwrap().as_str(),
            "https://graph.microsoft.com/v1.0/teams/a%2Fb%3Fc/19:x_y@thread.tacv2\
             ?$filter=lastModifiedDateTime%20gt%202025-01-01T00:00:00%2B01:00%20%26%20x&$top=50"
        );
        for bad in ["", ".", ".."] {
            assert!(absolute(&Request::new(&endpoint::TEAM, &["teams", bad], ""), &base).is_err());
        }
    }

    #[test]
    fn links_go_as_they_came_and_into_a_batch_without_the_version() {
        let base = Url::parse("http://127.0.0.1:80").unwrap();
        let follow =
            |text: &str| Request::new(&endpoint::TEAMS, &["teams"], "").follow(Link::check(text, &base).unwrap());
        let request = follow("http://127.0.0.1/v1.0/teams?$skiptoken=a%2Bb");
        assert_eq!(absolute(&request, &base).unwrap().as_str(), "http://127.0.0.1/v1.0/teams?$skiptoken=a%2Bb");
        assert_eq!(relative(&request, &base).unwrap(), "/teams?$skiptoken=a%2Bb");
        assert!(relative(&follow("http://127.0.0.1/beta/teams"), &base).is_err());
        assert!(relative(&follow("http://127.0.0.1/v1.0x/teams"), &base).is_err());
    }
}
