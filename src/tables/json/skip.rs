//! Values that are not read: skipped, or taken as their text.

use super::reader::{Json, Read};
use super::string_scan::plain_length;

impl<'t> Json<'t> {
    /// Skips a value and returns its text as it stands.
    pub(crate) fn raw(&mut self) -> Read<&'t str> {
        self.peek()?;
        let (text, start) = (self.text, self.at);
        self.skip()?;
        Ok(&text[start..self.at])
    }

    /// Skips a value, without recursion: a million open brackets take a megabyte of heap and do not overflow the stack.
    pub(crate) fn skip(&mut self) -> Read<()> {
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
            self.at += plain_length(self.rest());
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
}
