//! Strings: borrowed from the text where nothing is escaped, else unescaped part by part.

use std::borrow::Cow;

use super::reader::{Json, Read};
use super::string_scan::plain_length;

/// What the value of a string is appended to.
pub(crate) trait StringSink {
    fn push_str(&mut self, text: &str);

    /// Appends the first `length` bytes of a text that may go on behind them.
    fn push_start(&mut self, text: &str, length: usize);
}

impl<'t> Json<'t> {
    /// Reads a string; borrowed, unless something in it is escaped.
    pub(crate) fn string(&mut self) -> Read<Cow<'t, str>> {
        let start = self.open_string()?;
        self.at += plain_length(self.rest());
        if self.byte() == Some(b'"') {
            let text = self.text;
            let value = &text[start..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(value));
        }
        self.at = start;
        let mut value = String::new();
        self.unescape(&mut |part| value.push_str(part))?;
        Ok(Cow::Owned(value))
    }

    /// The string that was read or skipped since a position.
    #[inline]
    pub(crate) fn string_since(&self, start: usize) -> Cow<'t, str> {
        let text = self.text;
        let value = start + 1..start + 1 + plain_length(&text.as_bytes()[start + 1..]);
        if value.end + 1 == self.at {
            return Cow::Borrowed(&text[value]);
        }
        Cow::Owned(Json::new(self.since(start)).string().map(Cow::into_owned).unwrap_or_default())
    }

    /// Reads a string to the end of `out`. On an error `out` may hold a part of it.
    #[inline]
    pub(crate) fn string_into(&mut self, out: &mut impl StringSink) -> Read<()> {
        self.open_string()?;
        let rest = &self.text[self.at..];
        let length = plain_length(rest.as_bytes());
        if rest.as_bytes().get(length) != Some(&b'"') {
            return self.unescape(&mut |part| out.push_str(part));
        }
        out.push_start(rest, length);
        self.at += length + 1;
        Ok(())
    }

    #[inline]
    pub(super) fn open_string(&mut self) -> Read<usize> {
        if self.byte() != Some(b'"') {
            return self.unexpected();
        }
        self.at += 1;
        Ok(self.at)
    }

    /// Reads the rest of a string, and passes its parts on in turn.
    #[inline(never)]
    fn unescape(&mut self, part: &mut dyn FnMut(&str)) -> Read<()> {
        loop {
            let start = self.at;
            self.at += plain_length(self.rest());
            part(self.since(start));
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    part(character.encode_utf8(&mut [0; 4]));
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// What follows a backslash.
    pub(super) fn escape(&mut self) -> Read<char> {
        let Some(byte) = self.byte() else { return self.unexpected() };
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.code_point();
            }
            _ => return self.unexpected(),
        };
        self.at += 1;
        Ok(character)
    }

    /// The four digits behind `\u`, and the other half of a surrogate pair.
    fn code_point(&mut self) -> Read<char> {
        let first = self.hex()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let rest = self.rest();
        if first < 0xDC00 && rest.starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                let pair = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Read<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.unexpected();
            };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }
}
