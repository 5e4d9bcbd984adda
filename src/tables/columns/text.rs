//! A column of text, which is known to be UTF-8 because nothing else is ever written to it.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use arrow_buffer::Buffer;

use teams_base::timestamp;

use super::sparse::SparseColumn;
use crate::json::StringSink;

/// Short texts are copied by one of these lengths and cut afterwards, which needs no call.
const SHORT: usize = 32;
const LONGER: usize = 64;

pub(crate) struct TextColumn {
    ends: SparseColumn<u32>,
    /// Whole texts, one behind the other: always UTF-8, and each end lies between two characters.
    data: Vec<u8>,
}

impl StringSink for TextColumn {
    fn push_str(&mut self, text: &str) {
        self.data.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn push_start(&mut self, text: &str, length: usize) {
        assert!(text.is_char_boundary(length), "a text is cut between two characters");
        let end = self.data.len() + length;
        let bytes = text.as_bytes();
        match (bytes.first_chunk::<SHORT>(), bytes.first_chunk::<LONGER>()) {
            (Some(chunk), _) if length <= SHORT => self.data.extend_from_slice(chunk),
            (_, Some(chunk)) if length <= LONGER => self.data.extend_from_slice(chunk),
            _ => self.data.extend_from_slice(&bytes[..length]),
        }
        self.data.truncate(end);
    }
}

impl TextColumn {
    pub(crate) fn new() -> Self {
        Self { ends: SparseColumn::new(), data: Vec::new() }
    }

    pub(crate) fn append(&mut self, row: usize, value: &str) {
        self.push_str(value);
        self.end(row);
    }

    /// What was pushed since the last end is the row's text.
    #[inline]
    pub(crate) fn end(&mut self, row: usize) {
        assert!(i32::try_from(self.data.len()).is_ok(), "the text of a batch takes less than 2 GiB");
        self.ends.push(row, self.data.len() as u32);
    }

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.ends.has(row)
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        std::str::from_utf8(&self.data[self.ends.range(row)?]).ok()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + size_of::<u32>() * self.ends.len()
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.end());
    }

    /// The first `rows` rows as times, and how many texts are none. Those that stand for no time are null.
    pub(crate) fn timestamps(&self, rows: usize) -> (TimestampMicrosecondArray, u64) {
        let mut times = SparseColumn::new();
        let mut others = 0;
        for (row, range) in self.ends.ranges() {
            match std::str::from_utf8(&self.data[range]).ok().and_then(timestamp::parse) {
                Some(time) if timestamp::is_known(&time) => times.push(row, time.as_microsecond()),
                Some(_) => {}
                None => others += 1,
            }
        }
        (TimestampMicrosecondArray::new(times.values(rows), times.nulls(rows)), others)
    }

    /// The first `rows` rows as an array; the column starts anew.
    pub(crate) fn finish(&mut self, rows: usize) -> ArrayRef {
        // The next batch will be about as long; a little more saves copying all of it for its last rows.
        let next = Vec::with_capacity(self.data.len() / 8 * 9);
        let data = Buffer::from_vec(std::mem::replace(&mut self.data, next));
        let (offsets, nulls) = (self.ends.offsets(rows), self.ends.nulls(rows));
        self.ends.truncate(0);
        debug_assert!(StringArray::try_new(offsets.clone(), data.clone(), nulls.clone()).is_ok());
        // Checking all text again would be a fifth of what reading long messages costs.
        // SAFETY: `data` is UTF-8 and the offsets are ends of whole texts in it, none of which is past what an offset holds, as
        // every method above ensures; `SparseColumn::offsets` never descend; `nulls` are of as many rows.
        #[expect(unsafe_code)]
        let array = unsafe { StringArray::new_unchecked(offsets, data, nulls) };
        Arc::new(array)
    }
}
