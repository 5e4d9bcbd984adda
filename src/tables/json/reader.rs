//! The position in JSON text, and what can be read there: objects, arrays, literals, numbers.

use std::borrow::Cow;

use super::literal::Literal;

/// The text is not what it should be; [`Json::failure`] says how and where. Empty, so that results stay in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The text ends too soon.
    End,
    Syntax,
    /// Valid JSON of another shape than expected.
    Shape,
    /// An `error` where items were expected.
    ErrorBody,
}

pub type Read<T> = Result<T, Fault>;

/// A position in JSON text.
pub struct Json<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// The ends that open brackets wait for while a value is skipped.
    pub(super) open: Vec<u8>,
    fault: FaultKind,
}

impl<'t> Json<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, open: Vec::new(), fault: FaultKind::Syntax }
    }

    /// Stops here.
    #[cold]
    pub(crate) fn fail<T>(&mut self, kind: FaultKind) -> Read<T> {
        self.fault = kind;
        Err(Fault(()))
    }

    /// Why and where the reader stopped.
    pub(crate) fn failure(&self) -> (FaultKind, usize) {
        (self.fault, self.at)
    }

    #[cold]
    pub(super) fn unexpected<T>(&mut self) -> Read<T> {
        self.fail(if self.at < self.text.len() { FaultKind::Syntax } else { FaultKind::End })
    }

    #[inline]
    pub(super) fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    #[inline]
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Read<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return self.unexpected(),
            }
        }
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek()? != byte {
            return self.unexpected();
        }
        self.at += 1;
        Ok(())
    }

    /// Only white space may be left.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.peek() {
            Ok(_) => self.unexpected(),
            Err(_) => Ok(()),
        }
    }

    /// Reads an object; `member` reads each key, and reads or skips its value.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
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
    pub(crate) fn key(&mut self) -> Read<Cow<'t, str>> {
        self.peek()?;
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Reads an array; `item` reads or skips each item.
    pub(crate) fn array(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
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
    pub(crate) fn open_object(&mut self) -> Read<bool> {
        self.expect(b'{')?;
        let is_empty = self.peek()? == b'}';
        self.at += usize::from(is_empty);
        Ok(!is_empty)
    }

    /// Steps over a comma; `false` where the object ends, which is stepped over.
    #[inline]
    pub(crate) fn next_member(&mut self) -> Read<bool> {
        self.is_last(b'}').map(|is_last| !is_last)
    }

    /// Steps over this text if it stands here.
    #[inline]
    pub(crate) fn step_over(&mut self, text: &[u8]) -> bool {
        let is_here = self.rest().starts_with(text);
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    /// Steps over a comma, or over the bracket that closes.
    #[inline]
    pub(super) fn is_last(&mut self, close: u8) -> Read<bool> {
        let byte = self.peek()?;
        if byte != b',' && byte != close {
            return self.unexpected();
        }
        self.at += 1;
        Ok(byte == close)
    }

    #[inline]
    pub(super) fn literal(&mut self, word: &[u8]) -> Read<()> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        let wrong = |(own, byte): &(&u8, &u8)| own != byte;
        self.at += word.iter().zip(self.rest()).position(|pair| wrong(&pair)).unwrap_or(self.rest().len());
        self.unexpected()
    }

    pub(crate) fn null(&mut self) -> Read<()> {
        self.literal(b"null")
    }

    pub(crate) fn bool(&mut self) -> Read<bool> {
        let value = self.byte() == Some(b't');
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.literal(word)?;
        Ok(value)
    }

    /// Reads a number as its text.
    pub(crate) fn number(&mut self) -> Read<&'t str> {
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

    /// The first byte of a member's value, if this is its key, with quotes and colon, and stands there.
    pub(crate) fn member_at(&self, at: usize, quoted: &str) -> Option<u8> {
        self.text.as_bytes().get(at..)?.strip_prefix(quoted.as_bytes())?.first().copied()
    }

    /// The position, to come back to.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn go_back(&mut self, position: usize) {
        self.at = position;
    }

    /// The bytes from a position to here, and the one here.
    pub(crate) fn through(&self, position: usize) -> &'t [u8] {
        let text = self.text;
        &text.as_bytes()[position..=self.at]
    }

    /// The text from a position to here.
    pub(crate) fn since(&self, position: usize) -> &'t str {
        let text = self.text;
        &text[position..self.at]
    }
}
