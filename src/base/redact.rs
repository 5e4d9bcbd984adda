//! Foreign text made fit for an error message: one line, short, and without anything that grants access.

const LIMIT: usize = 300;

/// Text of a server, for a message. URLs lose their query, tokens are cut out.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut after_bearer = false;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        if after_bearer {
            out.push_str("[redacted]");
        } else {
            clean_word(word, &mut out);
        }
        after_bearer = word.to_ascii_lowercase().ends_with("bearer");
        if out.len() > LIMIT * 4 {
            break;
        }
    }
    match out.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}...", &out[..end]),
        None => out,
    }
}

fn clean_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(start) = rest.find("eyJ") {
        let (before, token) = rest.split_at(start);
        let end = token.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=+/".contains(c))).unwrap_or(token.len());
        push_url(before, out);
        // A JSON web token begins with base64 of `{"`; shorter ones are ordinary words.
        out.push_str(if end > 16 { "[redacted]" } else { &token[..end] });
        rest = &token[end..];
    }
    push_url(rest, out);
}

/// What ends a URL, or a value, within a sentence or within JSON.
const ENDS: [char; 8] = ['"', '\'', '<', '>', ',', ')', ']', '}'];

/// A path with its query, or a parameter on its own: the values go.
fn push_plain(text: &str, out: &mut String) {
    let lower = text.to_ascii_lowercase();
    let value = |name: &str| Some(lower.find(name)? + name.len()).filter(|at| *at < text.len());
    let values = ["token=", "secret=", "password=", "assertion="].into_iter().filter_map(value);
    let query = text.find('?').filter(|at| text[*at..].contains('='));
    let cuts = values.map(|at| (at, "[redacted]")).chain(query.map(|at| (at, "?..")));
    let Some((at, instead)) = cuts.min() else { return out.push_str(text) };
    out.push_str(&text[..at]);
    out.push_str(instead);
    if let Some(end) = text[at..].find(ENDS) {
        let rest = &text[at + end..];
        let length = rest.chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[..length]);
        push_plain(&rest[length..], out);
    }
}

/// The query of a nextLink is a token of its own, and user info holds a password.
fn push_url(text: &str, out: &mut String) {
    let Some(scheme) = text.find("://") else { return push_plain(text, out) };
    let (before, address) = text.split_at(scheme + 3);
    push_plain(&before[..scheme], out);
    out.push_str("://");
    let end = address.find(ENDS).unwrap_or(address.len());
    let (address, after) = address.split_at(end);
    let (address, query) = match address.find(['?', '#']) {
        Some(cut) => (&address[..cut], true),
        None => (address, false),
    };
    let authority_end = address.find('/').unwrap_or(address.len());
    let host = address[..authority_end].rfind('@').map_or(0, |at| at + 1);
    push_plain(&address[host..], out);
    if query {
        out.push_str("?..");
    }
    push_url(after, out);
}

/// What is shown of a body that is not the JSON it should be.
pub fn snippet(body: &[u8]) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let trimmed = head.trim_start();
    if trimmed.is_empty() {
        return "an empty body".into();
    }
    // A page that was cut short may hold a chat message.
    if trimmed.starts_with(['{', '[', '"']) {
        return "damaged JSON".into();
    }
    if !trimmed.starts_with('<') {
        return clean(&trimmed.chars().take(100).collect::<String>());
    }
    let lower = trimmed.to_ascii_lowercase();
    let title = lower.find("<title>").map(|start| start + "<title>".len());
    let title = title.and_then(|start| lower[start..].find('<').map(|length| &trimmed[start..start + length]));
    match title.map(clean).filter(|title| !title.is_empty()) {
        Some(title) => format!("an HTML page: {title}"),
        None => "an HTML page".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_grants_access_survives() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJncmFwaCJ9.c2lnbmF0dXJl";
        for (text, expected) in [
            ("Bearer abc.def is invalid", "Bearer [redacted] is invalid"),
            ("two\r\n  lines\u{0}end", "two lines end"),
            (
                "see https://graph.microsoft.com/v1.0/teams?$skiptoken=abc",
                "see https://graph.microsoft.com/v1.0/teams?..",
            ),
            ("'https://u:p@h/x?a=b','https://h/y#z'", "'https://h/x?..','https://h/y?..'"),
            ("plain eyJ word", "plain eyJ word"),
            ("GET /v1.0/teams?$skiptoken=abc, or 'x?a=b'", "GET /v1.0/teams?.., or 'x?..'"),
            ("$skiptoken=abc&client_secret=d \"password=x\"", "$skiptoken=[redacted] \"password=[redacted]\""),
            ("what? a=b", "what? a=b"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean(&format!("token={token}, next")), "token=[redacted], next");
        assert_eq!(clean(&format!("Authorization:\"Bearer {token}\"")), "Authorization:\"Bearer [redacted]");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = clean(&"ä".repeat(1_000));
        assert_eq!(text.chars().count(), LIMIT + 3);
    }

    #[test]
    fn snippets_of_odd_bodies() {
        assert_eq!(snippet(b"  \n"), "an empty body");
        assert_eq!(snippet(b"<!DOCTYPE html><html><head><title> Sign\nin </title>"), "an HTML page: Sign in");
        assert_eq!(snippet(b"<html>"), "an HTML page");
        assert_eq!(snippet(br#"{"value":[{"body":{"content":"words"#), "damaged JSON");
        assert_eq!(snippet(b"\xff\xfeoops"), "\u{fffd}\u{fffd}oops");
    }
}
