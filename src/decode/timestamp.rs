//! Timestamps as Graph writes them.

use jiff::Timestamp;

/// Reads an ISO 8601 timestamp with any number of fractional digits and any offset; `None` for what is no timestamp.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// `2025-01-15T10:30:00.000Z`: three digits always, so that text sorts as time.
pub fn to_text(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// The text of a cursor column, and its time.
///
/// Graph drops trailing zeros of the fraction, and as text `...01Z` sorts after `...01.5Z`: a merge by the text would
/// keep the older version. What is no timestamp stays as it came.
pub(super) fn pad(text: &mut String) -> Option<Timestamp> {
    let timestamp = parse(text)?;
    let is_padded = text.len() == "2025-01-15T10:30:00.000Z".len() && text.ends_with('Z');
    if !is_padded {
        *text = to_text(timestamp);
    }
    Some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> (String, bool) {
        let mut text = text.to_owned();
        let known = pad(&mut text).is_some();
        (text, known)
    }

    #[test]
    fn every_form_graph_uses_is_padded_to_three_digits() {
        for (sent, expected) in [
            ("2025-01-15T10:30:00Z", "2025-01-15T10:30:00.000Z"),
            ("2025-01-15T10:30:00.5Z", "2025-01-15T10:30:00.500Z"),
            ("2025-01-15T10:30:00.24Z", "2025-01-15T10:30:00.240Z"),
            ("2025-01-15T10:30:00.123Z", "2025-01-15T10:30:00.123Z"),
            ("2025-01-15T10:30:00.1239999Z", "2025-01-15T10:30:00.123Z"),
            ("2025-01-15T02:30:00-08:00", "2025-01-15T10:30:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(padded(sent), (expected.to_owned(), true));
        }
    }

    #[test]
    fn what_is_no_timestamp_survives_as_it_is() {
        for text in ["2021-03-1706:47:05.123Z", "", "soon", "2021-13-40T00:00:00Z"] {
            assert_eq!(padded(text), (text.to_owned(), false));
        }
    }
}
