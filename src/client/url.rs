//! From a request to its URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::request::{Request, Target};

const GRAPH_VERSION: &str = "/v1.0";
const CONNECTOR_VERSION: &str = "/v3";
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

/// The absolute URL; `graph` is Graph's. A link is used exactly as it came.
pub fn absolute(request: &Request, graph: &Url) -> Result<Url, &'static str> {
    let below = |base: &Url, version, path: String| {
        Url::parse(&format!("{}{version}{path}", base.as_str().trim_end_matches('/')))
            .map_err(|_| "the path is not valid")
    };
    match &request.target {
        Target::Link(link) => Ok(link.url().clone()),
        Target::Path { segments, query } => below(graph, GRAPH_VERSION, path(segments, query)?),
        Target::Connector { service, segments, query } => below(service, CONNECTOR_VERSION, path(segments, query)?),
    }
}

/// The URL below Graph's version, as an item of a batch carries it.
pub fn relative(request: &Request, graph: &Url) -> Result<String, &'static str> {
    match &request.target {
        Target::Path { segments, query } => path(segments, query),
        Target::Link(link) => {
            let below = link.url().as_str().strip_prefix(graph.as_str().trim_end_matches('/'));
            match below.and_then(|path| path.strip_prefix(GRAPH_VERSION)) {
                Some(path) if path.starts_with('/') => Ok(path.to_owned()),
                _ => Err("the link leads out of this version of Graph"),
            }
        }
        Target::Connector { .. } => Err("Graph's batches hold no requests to the Bot Connector"),
    }
}

fn path(segments: &[String], query: &[(&'static str, String)]) -> Result<String, &'static str> {
    let mut path = String::new();
    for segment in segments {
        // A URL parser would take these for steps up the path, even when they are encoded.
        if matches!(segment.as_str(), "" | "." | "..") {
            return Err("an identifier is empty or not an identifier");
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    for (index, (name, value)) in query.iter().enumerate() {
        path.push(if index == 0 { '?' } else { '&' });
        path.extend(utf8_percent_encode(name, QUERY));
        path.push('=');
        path.extend(utf8_percent_encode(value, QUERY));
    }
    Ok(path)
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
        let service = Url::parse("https://smba.trafficmanager.net/amer/").unwrap();
        let send =
            Request::connector(&endpoint::TEAM, &service, &["conversations", "19:c@thread.tacv2;messageid=1"], "");
        assert_eq!(
            absolute(&send, &base).unwrap().as_str(),
            "https://smba.trafficmanager.net/amer/v3/conversations/19:c@thread.tacv2%3Bmessageid=1"
        );
        assert!(relative(&send, &base).is_err());
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
