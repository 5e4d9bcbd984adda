//! Values by row, where most rows have none.
//!
//! Most columns of most messages are null, so a null costs nothing: a row without a value is not mentioned, and becomes
//! a null when the batch is closed.

use std::sync::LazyLock;

use arrow_buffer::{
    ArrowNativeType, BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};

/// More bytes than the offsets of a full batch take.
const USUAL: usize = 64 << 10;

/// Rows and their values, in order of rows.
pub(crate) struct SparseColumn<T>(Vec<(u32, T)>);

impl<T: Copy> SparseColumn<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn last(&self) -> Option<T> {
        self.0.last().map(|(_, value)| *value)
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: T) {
        self.0.push((row as u32, value));
    }

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.place(row).is_some()
    }

    pub(crate) fn get(&self, row: usize) -> Option<T> {
        self.place(row).map(|place| self.0[place].1)
    }

    /// Where a row's value is. Mostly the row asked for is the next one, which has none yet.
    #[inline]
    fn place(&self, row: usize) -> Option<usize> {
        let (last, _) = self.0.last()?;
        match (row as u32).cmp(last) {
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal => Some(self.0.len() - 1),
            std::cmp::Ordering::Less => self.search(row),
        }
    }

    #[inline(never)]
    fn search(&self, row: usize) -> Option<usize> {
        self.0.binary_search_by_key(&(row as u32), |(row, _)| *row).ok()
    }

    /// Whether any row from `rows` on has a value.
    pub(crate) fn reaches(&self, rows: usize) -> bool {
        self.0.last().is_some_and(|(row, _)| *row as usize >= rows)
    }

    /// Takes back the values of every row from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if rows == 0 {
            return self.0.clear();
        }
        while self.reaches(rows) {
            self.0.pop();
        }
    }

    /// Which of the first `rows` rows have none; `None` if all have one.
    pub(crate) fn nulls(&self, rows: usize) -> Option<NullBuffer> {
        if self.0.len() == rows {
            return None;
        }
        if self.0.is_empty() {
            return Some(NullBuffer::new(BooleanBuffer::new(zeros(rows.div_ceil(8)), 0, rows)));
        }
        Some(NullBuffer::new(bits(rows, self.0.iter().map(|(row, _)| *row))))
    }
}

impl SparseColumn<bool> {
    pub(crate) fn trues(&self, rows: usize) -> BooleanBuffer {
        bits(rows, self.0.iter().filter(|(_, value)| *value).map(|(row, _)| *row))
    }
}

impl<T: ArrowNativeType> SparseColumn<T> {
    pub(crate) fn values(&self, rows: usize) -> ScalarBuffer<T> {
        let mut values = vec![T::default(); rows];
        self.0.iter().for_each(|(row, value)| values[*row as usize] = *value);
        values.into()
    }
}

/// Where each row's values end in the buffer that holds them.
impl SparseColumn<u32> {
    pub(crate) fn end(&self) -> usize {
        self.last().unwrap_or_default() as usize
    }

    pub(crate) fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let place = self.place(row)?;
        let start = place.checked_sub(1).map_or(0, |before| self.0[before].1);
        Some(start as usize..self.0[place].1 as usize)
    }

    /// Each row that has values, and where these are.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
        let starts = std::iter::once(0).chain(self.0.iter().map(|(_, end)| *end as usize));
        self.0.iter().zip(starts).map(|((row, end), start)| (*row as usize, start..*end as usize))
    }

    pub(crate) fn offsets(&self, rows: usize) -> OffsetBuffer<i32> {
        if self.0.is_empty() {
            return OffsetBuffer::new(ScalarBuffer::new(zeros((rows + 1) * size_of::<i32>()), 0, rows + 1));
        }
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let mut last = 0;
        let mut rising = |end: i32| {
            last = last.max(end);
            last
        };
        if self.0.len() == rows {
            offsets.extend(self.0.iter().map(|(_, end)| rising(*end as i32)));
        } else {
            offsets.resize(rows + 1, 0);
            self.0.iter().for_each(|(row, end)| offsets[*row as usize + 1] = *end as i32);
            offsets.iter_mut().for_each(|offset| *offset = rising(*offset));
        }
        // Checking this again, as the safe way does, would be a twentieth of what decoding costs.
        // SAFETY: there is at least one offset, the first is no less than 0, and none is less than the one before it.
        #[expect(unsafe_code)]
        unsafe {
            OffsetBuffer::new_unchecked(offsets.into())
        }
    }
}

/// That many bytes of zero. Arrays without a value share them, as long as they are of a batch's usual length.
fn zeros(length: usize) -> Buffer {
    static ZEROS: LazyLock<Buffer> = LazyLock::new(|| Buffer::from_vec(vec![0_u64; USUAL / size_of::<u64>()]));
    if length <= USUAL { ZEROS.slice_with_length(0, length) } else { Buffer::from_vec(vec![0_u8; length]) }
}

fn bits(rows: usize, set: impl Iterator<Item = u32>) -> BooleanBuffer {
    let mut bits = BooleanBufferBuilder::new(rows);
    bits.append_n(rows, false);
    set.for_each(|row| bits.set_bit(row as usize, true));
    bits.finish()
}
