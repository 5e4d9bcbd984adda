//! Rice coding: sorted numbers in few bits, by the gaps between them, with a mark of the caller's beside each.
//! <https://en.wikipedia.org/wiki/Golomb_coding#Rice_coding>

/// Numbers are smaller than 2 to the power of this.
pub const WIDTH: u32 = 40;

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Bits taken of the last byte; a multiple of eight means that the next one begins a byte.
    taken: u32,
}

impl Writer {
    fn bit(&mut self, bit: bool) {
        if self.taken.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.taken % 8);
        }
        self.taken += 1;
    }

    fn low(&mut self, value: u64, count: u32) {
        (0..count).for_each(|at| self.bit(value >> at & 1 == 1));
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        self.at += 1;
        Some(byte >> ((self.at - 1) % 8) & 1 == 1)
    }

    fn low(&mut self, count: u32) -> Option<u64> {
        (0..count).try_fold(0, |value, at| Some(value | u64::from(self.bit()?) << at))
    }
}

/// Writes sorted, different numbers and their marks of `bits` bits.
pub fn encode(numbers: impl ExactSizeIterator<Item = (u64, u64)> + Clone, bits: u32) -> Vec<u8> {
    let count = numbers.len() as u64;
    let last = numbers.clone().last().map_or(0, |(number, _)| number);
    // As many low bits as the mean gap has: the rest of a gap is then one or two bits.
    let low = (last / count.max(1)).max(1).ilog2();
    let mut writer = Writer::default();
    writer.low(count, 32);
    writer.low(u64::from(low), 8);
    let mut next = 0;
    for (number, mark) in numbers {
        let gap = number - next;
        (0..gap >> low).for_each(|_| writer.bit(true));
        writer.bit(false);
        writer.low(gap, low);
        writer.low(mark, bits);
        next = number + 1;
    }
    writer.bytes
}

/// `None` for what [`encode`] did not write with `bits`.
pub fn decode(bytes: &[u8], bits: u32) -> Option<Vec<(u64, u64)>> {
    let mut reader = Reader { bytes, at: 0 };
    let count = reader.low(32)?;
    let low = reader.low(8)? as u32;
    if low >= WIDTH {
        return None;
    }
    let mut numbers = Vec::new();
    let mut next = 0_u64;
    for _ in 0..count {
        let mut high = 0_u64;
        while reader.bit()? {
            high += 1;
        }
        let number = next.checked_add((high << low) | reader.low(low)?)?;
        if number >> WIDTH != 0 {
            return None;
        }
        numbers.push((number, reader.low(bits)?));
        next = number + 1;
    }
    (reader.at.div_ceil(8) == bytes.len()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_and_damage_is_refused() {
        let most = (1 << WIDTH) - 1;
        for numbers in [vec![], vec![0], vec![most], vec![0, 1, 2, 3], vec![7, 1 << 20, 1 << 39, most]] {
            for bits in [1, 2] {
                let marked: Vec<_> = numbers.iter().zip(0..).map(|(number, at)| (*number, at % (1 << bits))).collect();
                let bytes = encode(marked.iter().copied(), bits);
                assert_eq!(decode(&bytes, bits), Some(marked), "{numbers:?}");
                for end in 0..bytes.len() {
                    assert_eq!(decode(&bytes[..end], bits), None, "{numbers:?} cut at {end}");
                }
                assert_eq!(decode(&[bytes, vec![0]].concat(), bits), None);
            }
        }
        for bad in [&[0xff; 40][..], &[1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 39, 0xfe, 0xff, 0xff, 0xff]] {
            assert_eq!(decode(bad, 1), None, "{bad:?}");
        }
    }
}
