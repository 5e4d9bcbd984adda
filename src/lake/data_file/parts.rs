//! Parts of a file, read in one go each. Page by page, as the parquet crate asks for them, half of a small page's cost is the system's.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Between two parts that are read together there may be so much that is not asked for.
const MOST_BETWEEN: u64 = 8 << 10;

/// A file, of which some parts are there.
pub struct Parts {
    length: u64,
    /// By where they begin.
    parts: Vec<(u64, Bytes)>,
}

impl Parts {
    /// Reads these ranges, each a place and a length, which lie apart.
    pub fn read(mut file: &File, mut ranges: Vec<(u64, u64)>) -> io::Result<Self> {
        let length = file.metadata()?.len();
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (begin, size) in ranges {
            match joined.last_mut() {
                Some((first, length)) if begin <= *first + *length + MOST_BETWEEN => *length = begin + size - *first,
                _ => joined.push((begin, size)),
            }
        }
        let part = |(begin, size): (u64, u64)| {
            file.seek(SeekFrom::Start(begin))?;
            let mut content = Vec::new();
            file.take(size).read_to_end(&mut content)?;
            Ok((begin, content.into()))
        };
        Ok(Self { length, parts: joined.into_iter().map(part).collect::<io::Result<_>>()? })
    }

    /// From a place to the end of the part that it is in.
    fn from(&self, begin: u64) -> Result<Bytes> {
        let at = self.parts.partition_point(|(first, _)| *first <= begin);
        let found = at.checked_sub(1).map(|at| &self.parts[at]);
        let from = found.and_then(|(first, content)| Some((usize::try_from(begin - first).ok()?, content)));
        match from {
            Some((skip, content)) if skip <= content.len() => Ok(content.slice(skip..)),
            _ => Err(absent()),
        }
    }
}

fn absent() -> ParquetError {
    ParquetError::EOF("a page lies outside of its column".to_owned())
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Parts {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let rest = self.from(start)?;
        if rest.len() < length { Err(absent()) } else { Ok(rest.slice(..length)) }
    }
}
