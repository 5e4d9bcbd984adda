//! Text as files and servers write it: behind a byte order mark, with line breaks at its end, or in UTF-16.

/// How UTF-8 begins where a program of Windows wrote it. It is no part of the text.
const MARK: char = '\u{feff}';

/// Bytes without the byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// The text of a file, or why it cannot be read, with the remedy.
pub fn decode(bytes: &[u8]) -> Result<&str, &'static str> {
    // No text in UTF-8 holds a NUL, and every one in UTF-16 that a key or an id is written in does.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err("it is UTF-16, as PowerShell and Notepad may write it. Save it as UTF-8");
    }
    std::str::from_utf8(without_mark(bytes)).map_err(|_| "it is not text in UTF-8. Save it as UTF-8")
}

/// One value as it is meant: without the byte order mark before it and the line breaks that editors, `echo` and key vaults
/// put behind it. Blanks stay, because a secret may end with one.
pub fn value(text: &str) -> &str {
    text.trim_start_matches(MARK).trim_end_matches(['\r', '\n'])
}

/// The same of what holds no blanks at its ends, such as an id or an address.
pub fn word(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_and_line_breaks_are_no_part_of_a_value() {
        assert_eq!(value("\u{feff}hush \r\n\n"), "hush ");
        assert_eq!(value("a\nb"), "a\nb");
        assert_eq!(word("\u{feff} id\r\n"), "id");
        assert_eq!(without_mark(b"\xef\xbb\xbf\xef\xbb\xbf{}"), b"\xef\xbb\xbf{}");
    }

    #[test]
    fn text_is_utf8() {
        assert_eq!(decode("\u{feff}ä".as_bytes()), Ok("ä"));
        let wide = |swap: bool| -> Vec<u8> {
            let bytes = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
            "\u{feff}hush".encode_utf16().flat_map(bytes).collect()
        };
        for wide in [&wide(false)[..], &wide(true), &wide(false)[2..], &wide(true)[2..]] {
            assert!(decode(wide).unwrap_err().contains("UTF-16"));
        }
        assert!(decode(b"h\xfcsh").unwrap_err().contains("Save it as UTF-8"));
    }
}
