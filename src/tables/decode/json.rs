//! A reader over JSON text that never builds a tree: who reads it takes each value where it stands, or skips it.
//!
//! It is written for pages of Graph: keys and most strings are short, so that what a general parser does per value
//! (an index of the whole page, or a visitor for each type) costs more than reading the value. The grammar is that of
//! RFC 8259, with two kindnesses: half of a surrogate pair becomes U+FFFD, because software that cuts text at a fixed
//! length splits emoji in two; and a number may be of any size, because columns judge that for themselves.

use std::borrow::Cow;

use super::literal::Literal;
use super::plain::plain;
use super::text::Text;

/// The text is at fault; the reader knows how and where. Empty, so that results stay in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The text ends too soon.
    End,
    Syntax,
    /// Right JSON, but not what belongs there.
    Shape,
    /// An `error` where items were expected.
    ErrorBody,
}

pub type Read<T> = Result<T, Fault>;

/// A position in JSON text.
pub struct Json<'t> {
    text: &'t str,
    at: usize,
    /// The ends that open brackets wait for while a value is skipped.
    open: Vec<u8>,
    fault: FaultKind,
}

impl<'t> Json<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, open: Vec::new(), fault: FaultKind::Syntax }
    }

    /// Stops here.
    #[cold]
    pub(super) fn fail<T>(&mut self, kind: FaultKind) -> Read<T> {
        self.fault = kind;
        Err(Fault(()))
    }

    /// Why and where the reader stopped.
    pub(super) fn failure(&self) -> (FaultKind, usize) {
        (self.fault, self.at)
    }

    #[cold]
    fn unexpected<T>(&mut self) -> Read<T> {
        self.fail(if self.at < self.text.len() { FaultKind::Syntax } else { FaultKind::End })
    }

    #[inline]
    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Read<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return self.unexpected(),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek()? != byte {
            return self.unexpected();
        }
        self.at += 1;
        Ok(())
    }

    /// Only white space may be left.
    pub(super) fn end(&mut self) -> Read<()> {
        match self.peek() {
            Ok(_) => self.unexpected(),
            Err(_) => Ok(()),
        }
    }

    /// Reads an object; `member` reads each key, and reads or skips its value.
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        let mut is_inside = self.open_object()?;
        while is_inside {
            member(self)?;
            is_inside = self.next_member()?;
        }
        Ok(())
    }

    /// Steps over a text that stands here; not over its last byte if that is the first of a value.
    #[inline]
    pub(super) fn step_along(&mut self, text: &Literal, to_value: bool) -> bool {
        let is_here = text.starts(self.rest());
        if is_here {
            self.at += text.len() - usize::from(to_value);
        }
        is_here
    }

    /// Reads any key.
    pub(super) fn key(&mut self) -> Read<Cow<'t, str>> {
        self.peek()?;
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Reads an array; `item` reads or skips each item.
    pub(super) fn array(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            if self.is_last(b']')? {
                return Ok(());
            }
        }
    }

    /// Steps into an object; `false` for one without members, which is stepped over.
    #[inline]
    pub(super) fn open_object(&mut self) -> Read<bool> {
        self.expect(b'{')?;
        let is_empty = self.peek()? == b'}';
        self.at += usize::from(is_empty);
        Ok(!is_empty)
    }

    /// Steps over a comma; `false` where the object ends, which is stepped over.
    #[inline]
    pub(super) fn next_member(&mut self) -> Read<bool> {
        self.is_last(b'}').map(|is_last| !is_last)
    }

    /// Steps over this text if it stands here.
    #[inline]
    pub(super) fn step_over(&mut self, text: &[u8]) -> bool {
        let is_here = self.rest().starts_with(text);
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    /// Steps over a comma, or over the bracket that closes.
    #[inline]
    fn is_last(&mut self, close: u8) -> Read<bool> {
        let byte = self.peek()?;
        if byte != b',' && byte != close {
            return self.unexpected();
        }
        self.at += 1;
        Ok(byte == close)
    }

    /// Reads a string; borrowed, unless something in it is escaped.
    pub(super) fn string(&mut self) -> Read<Cow<'t, str>> {
        let start = self.open_string()?;
        self.at += plain(self.rest());
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
    pub(super) fn string_since(&self, start: usize) -> Cow<'t, str> {
        let text = self.text;
        let value = start + 1..start + 1 + plain(&text.as_bytes()[start + 1..]);
        if value.end + 1 == self.at {
            return Cow::Borrowed(&text[value]);
        }
        Cow::Owned(Json::new(self.since(start)).string().map(Cow::into_owned).unwrap_or_default())
    }

    /// Reads a string to the end of `out`. On an error `out` may hold a part of it.
    #[inline]
    pub(super) fn string_into(&mut self, out: &mut Text) -> Read<()> {
        self.open_string()?;
        let rest = &self.text[self.at..];
        let length = plain(rest.as_bytes());
        if rest.as_bytes().get(length) != Some(&b'"') {
            return self.unescape(&mut |part| out.push_str(part));
        }
        out.push_start(rest, length);
        self.at += length + 1;
        Ok(())
    }

    #[inline]
    fn open_string(&mut self) -> Read<usize> {
        if self.byte() != Some(b'"') {
            return self.unexpected();
        }
        self.at += 1;
        Ok(self.at)
    }

    /// Reads the rest of a string, and gives its parts away in turn.
    #[inline(never)]
    fn unescape(&mut self, part: &mut dyn FnMut(&str)) -> Read<()> {
        loop {
            let start = self.at;
            self.at += plain(self.rest());
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
    fn escape(&mut self) -> Read<char> {
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

    #[inline]
    fn literal(&mut self, word: &[u8]) -> Read<()> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        let wrong = |(own, byte): &(&u8, &u8)| own != byte;
        self.at += word.iter().zip(self.rest()).position(|pair| wrong(&pair)).unwrap_or(self.rest().len());
        self.unexpected()
    }

    pub(super) fn null(&mut self) -> Read<()> {
        self.literal(b"null")
    }

    pub(super) fn bool(&mut self) -> Read<bool> {
        let value = self.byte() == Some(b't');
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.literal(word)?;
        Ok(value)
    }

    /// Reads a number as its text.
    pub(super) fn number(&mut self) -> Read<&'t str> {
        let (text, start) = (self.text, self.at);
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&text[start..self.at])
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { self.unexpected() } else { Ok(()) }
    }

    /// Skips a value and returns its text as it stands.
    pub(super) fn raw(&mut self) -> Read<&'t str> {
        self.peek()?;
        let (text, start) = (self.text, self.at);
        self.skip()?;
        Ok(&text[start..self.at])
    }

    /// Skips a value, without recursion: whoever sends a million brackets costs a megabyte, not the stack.
    pub(super) fn skip(&mut self) -> Read<()> {
        if self.peek()? == b'"' {
            return self.skip_string();
        }
        self.open.clear();
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                b'-' | b'0'..=b'9' => drop(self.number()?),
                b'{' => {
                    self.at += 1;
                    if self.peek()? != b'}' {
                        self.open.push(b'}');
                        self.skip_key()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? != b']' {
                        self.open.push(b']');
                        continue;
                    }
                    self.at += 1;
                }
                _ => return self.unexpected(),
            }
            loop {
                let Some(&close) = self.open.last() else { return Ok(()) };
                if self.is_last(close)? {
                    self.open.pop();
                    continue;
                }
                if close == b'}' {
                    self.skip_key()?;
                }
                break;
            }
        }
    }

    fn skip_key(&mut self) -> Read<()> {
        self.peek()?;
        self.skip_string()?;
        self.expect(b':')
    }

    fn skip_string(&mut self) -> Read<()> {
        self.open_string()?;
        loop {
            self.at += plain(self.rest());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// The first byte of a member's value, if this is its key, with quotes and colon, and stands there.
    pub(super) fn member_at(&self, at: usize, quoted: &str) -> Option<u8> {
        self.text.as_bytes().get(at..)?.strip_prefix(quoted.as_bytes())?.first().copied()
    }

    /// The position, to come back to.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_back(&mut self, position: usize) {
        self.at = position;
    }

    /// The bytes from a position to here, and the one here.
    pub(super) fn through(&self, position: usize) -> &'t [u8] {
        let text = self.text;
        &text.as_bytes()[position..=self.at]
    }

    /// The text from a position to here.
    pub(super) fn since(&self, position: usize) -> &'t str {
        let text = self.text;
        &text[position..self.at]
    }
}
