//! Addresses of hosted contents in the text of a message.

use std::collections::HashSet;

const BEFORE: &str = "/hostedContents/";
const AFTER: &str = "/$value";

/// An address in a message, and the id in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostedContent<'t> {
    pub(super) url: &'t str,
    pub(super) id: &'t str,
    /// The part of the message that shows it.
    pub(super) shown_in: &'static str,
}

/// Every hosted content in a text, once. An address ends where markup, JSON or white space ends it.
pub(super) fn find<'t>(
    text: &'t str,
    shown_in: &'static str,
    seen: &mut HashSet<&'t str>,
    found: &mut Vec<HostedContent<'t>>,
) {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '(' | ')');
    let mut start = 0;
    while let Some(at) = text[start..].find(BEFORE).map(|at| start + at) {
        let rest = &text[at + BEFORE.len()..];
        let id = &rest[..rest.find(|c: char| c == '/' || is_end(c)).unwrap_or(rest.len())];
        let end = at + BEFORE.len() + id.len();
        if !id.is_empty() && text[end..].starts_with(AFTER) && seen.insert(id) {
            let from = text[start..at]
                .rfind(is_end)
                .map_or(start, |space| start + space + text[start + space..].chars().next().map_or(1, char::len_utf8));
            found.push(HostedContent { url: &text[from..end + AFTER.len()], id, shown_in });
        }
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_once_each() {
        let text = concat!(
            r#"<p><img src="https://graph.microsoft.com/v1.0/chats/19:a@b/messages/1/hostedContents/aWQ=/$value" alt="x">"#,
            r#"<img src='/v1.0/hostedContents/b/$value'> /hostedContents/aWQ=/$value /hostedContents//$value /hostedContents/c"#,
        );
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        find(text, "body", &mut seen, &mut found);
        let found: Vec<_> = found.iter().map(|hosted| (hosted.id, hosted.url)).collect();
        let first = "https://graph.microsoft.com/v1.0/chats/19:a@b/messages/1/hostedContents/aWQ=/$value";
        assert_eq!(found, [("aWQ=", first), ("b", "/v1.0/hostedContents/b/$value")]);
    }

    #[test]
    fn a_hostile_text_takes_linear_time() {
        let text = "/hostedContents/x".repeat(300_000);
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        let begin = std::time::Instant::now();
        find(&text, "body", &mut seen, &mut found);
        assert!(found.is_empty() && begin.elapsed().as_secs() < 5);
    }
}
