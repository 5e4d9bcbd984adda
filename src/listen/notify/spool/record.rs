//! How an item lies in a segment: its length, when it came, a hash of both and of the item, and the item.

use std::io::{self, Read};

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes before an item.
pub const HEADER: usize = 4 + 8 + 8;
/// No item is larger: a length above it is no length.
pub const LARGEST: usize = 64 << 20;

/// An item, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub arrived: Timestamp,
    pub item: Vec<u8>,
}

impl Record {
    /// Bytes in a segment.
    pub fn length(&self) -> u64 {
        (HEADER + self.item.len()) as u64
    }

    pub fn write(&self, to: &mut Vec<u8>) {
        let arrived = self.arrived.as_microsecond();
        to.extend_from_slice(&(self.item.len() as u32).to_le_bytes());
        to.extend_from_slice(&arrived.to_le_bytes());
        to.extend_from_slice(&hash(arrived, &self.item).to_le_bytes());
        to.extend_from_slice(&self.item);
    }

    /// Reads the next one; `None` for what was not written whole, and at the end.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if !fill(from, &mut header)? {
            return Ok(None);
        }
        let (length, rest) = header.split_at(4);
        let (arrived, expected) = rest.split_at(8);
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        let arrived = i64::from_le_bytes(arrived.try_into().unwrap_or_default());
        let expected = u64::from_le_bytes(expected.try_into().unwrap_or_default());
        if length > LARGEST {
            return Ok(None);
        }
        let mut item = vec![0; length];
        if !fill(from, &mut item)? || hash(arrived, &item) != expected {
            return Ok(None);
        }
        Ok(Timestamp::from_microsecond(arrived).ok().map(|arrived| Self { arrived, item }))
    }
}

fn hash(arrived: i64, item: &[u8]) -> u64 {
    // An empty page of a file is all zeros, and must not be an item.
    xxh3_64_with_seed(item, arrived as u64) ^ 0x6c66_7465_616d_7331
}

/// Whether there were as many bytes.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_zeros_is_no_item() {
        assert_eq!(Record::read(&mut [0_u8; 4096].as_slice()).unwrap(), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_torn_or_changed_is_not_read(item: Vec<u8>, cut: usize, bit: usize) {
            let record = Record { arrived: Timestamp::from_microsecond(1_800_000_000_000_000).unwrap(), item };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            proptest::prop_assert_eq!(Record::read(&mut bytes.as_slice()).unwrap(), Some(record));
            let torn = &bytes[..cut % bytes.len()];
            proptest::prop_assert_eq!(Record::read(&mut &*torn).unwrap(), None);
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            proptest::prop_assert_eq!(Record::read(&mut bytes.as_slice()).unwrap(), None);
        }
    }
}
