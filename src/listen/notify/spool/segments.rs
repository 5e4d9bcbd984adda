//! The files of a spool: segments, each named by the position that it begins at, and the mark up to which everything is kept
//! elsewhere. Positions count bytes over all segments that there ever were.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::record::Record;
use crate::private_file;

const EXTENSION: &str = "segment";
const MARK: &str = "done";

/// A segment, as far as it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub base: u64,
    pub length: u64,
}

impl Segment {
    pub fn end(&self) -> u64 {
        self.base + self.length
    }

    pub fn path(folder: &Path, base: u64) -> PathBuf {
        folder.join(format!("{base:020}.{EXTENSION}"))
    }

    pub fn create(folder: &Path, base: u64) -> io::Result<File> {
        let path = Self::path(folder, base);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        private_file::sync_folder(&path)?;
        Ok(file)
    }

    /// Its records from a position on.
    pub fn read(&self, folder: &Path, position: u64) -> io::Result<Records> {
        let mut file = File::open(Self::path(folder, self.base))?;
        file.seek(SeekFrom::Start(position - self.base))?;
        Ok(Records { file: BufReader::with_capacity(1 << 18, file), position, end: self.end() })
    }
}

pub struct Records {
    file: BufReader<File>,
    /// Behind the last record.
    pub position: u64,
    end: u64,
}

impl Records {
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        if self.position >= self.end {
            return Ok(None);
        }
        let record = Record::read(&mut self.file)?;
        self.position += record.as_ref().map_or(0, Record::length);
        Ok(record)
    }
}

/// What lies in a folder.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Survey {
    pub segments: Vec<Segment>,
    pub done: u64,
    /// Of records that are not done.
    pub items: u64,
    pub bytes: u64,
    pub oldest: Option<Timestamp>,
    /// Bytes that cannot be read though they were acknowledged.
    pub damaged: u64,
}

/// Looks at everything that is not done. A segment ends where its records do: what follows was never acknowledged.
pub fn survey(folder: &Path) -> io::Result<Survey> {
    let mut survey = Survey { done: mark(folder)?, ..Survey::default() };
    let bases = bases(folder)?;
    for (at, base) in bases.iter().enumerate() {
        let next = bases.get(at + 1).copied().unwrap_or(u64::MAX);
        if next <= survey.done {
            survey.segments.push(Segment { base: *base, length: next - base });
            continue;
        }
        let whole = Segment { base: *base, length: next - base };
        let mut records = whole.read(folder, *base)?;
        let mut before = *base;
        while let Some(record) = records.next()? {
            if before >= survey.done {
                survey.items += 1;
                survey.oldest.get_or_insert(record.arrived);
            }
            before = records.position;
        }
        if next != u64::MAX {
            // A segment begins where the one before it was whole.
            survey.damaged += next - records.position;
        }
        survey.segments.push(Segment { base: *base, length: records.position - base });
    }
    let end = survey.segments.last().map_or(survey.done, Segment::end);
    survey.bytes = end.saturating_sub(survey.done);
    Ok(survey)
}

fn bases(folder: &Path) -> io::Result<Vec<u64>> {
    let mut bases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            bases.extend(path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok()));
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

fn mark(folder: &Path) -> io::Result<u64> {
    match fs::read_to_string(folder.join(MARK)) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("the file {MARK} holds no position"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

pub fn set_mark(folder: &Path, position: u64) -> io::Result<()> {
    private_file::replace(&folder.join(MARK), position.to_string().as_bytes())
}
