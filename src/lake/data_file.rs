//! Rows of Parquet files as this program writes them, by their number: values of other rows are stepped over, and not made.

mod parts;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use arrow_array::{RecordBatch, RecordBatchReader as _};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader, ParquetStatisticsPolicy, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::TypePtr;

use parts::Parts;

use crate::key_hashes::{KeyHashes, Unhashable};

/// Rows that come as one batch.
const BATCH_ROWS: usize = 8_192;

/// The columns that files of a table have.
#[derive(Debug)]
pub struct FileLayout(TypePtr);

impl FileLayout {
    /// That of a whole file, which may be without rows.
    pub fn of(sample: Bytes) -> io::Result<Self> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&sample);
        let metadata = metadata.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Self(metadata.file_metadata().schema_descr().root_schema_ptr()))
    }

    /// Reads a file's footer. `None` where the file has other columns, or is compressed as this program does not.
    pub fn open(&self, path: &Path) -> io::Result<Option<DataFile>> {
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let file = File::open(path)?;
        let metadata = whole(path, || ArrowReaderMetadata::load(&file, options))?;
        let has_columns = metadata.metadata().file_metadata().schema() == &*self.0;
        let mut chunks = metadata.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        let is_ours = has_columns && chunks.all(is_readable);
        Ok(is_ours.then(|| DataFile { path: path.to_owned(), metadata }))
    }
}

fn is_readable(chunk: &ColumnChunkMetaData) -> bool {
    matches!(chunk.compression(), Compression::UNCOMPRESSED | Compression::SNAPPY)
}

/// Rows, and the columns that they have.
pub type Rows = (SchemaRef, Vec<RecordBatch>);

/// A file whose footer was read.
#[derive(Debug)]
pub struct DataFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
}

/// What a footer says of the rows of a row group in some columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub rows: usize,
    pub columns: Vec<ColumnFacts>,
}

/// What a row group has in a column, as far as its file says: how many nulls, and the least and the greatest value.
#[derive(Debug, PartialEq, Eq)]
pub struct ColumnFacts {
    pub nulls: Option<u64>,
    pub limits: Option<Limits>,
}

/// Of texts and whole numbers; times are such, as the file has them.
#[derive(Debug, PartialEq, Eq)]
pub enum Limits {
    Texts(String, String),
    Numbers(i64, i64),
}

impl DataFile {
    /// All row groups, with the facts of columns in the order in which these are named.
    pub fn groups(&self, columns: &[String]) -> io::Result<Vec<Group>> {
        let schema = self.metadata.parquet_schema();
        let places = columns.iter().map(|name| {
            let place = (0..schema.num_columns()).find(|at| schema.column(*at).path().parts() == [name.as_str()]);
            place.ok_or_else(|| no(&format!("column {name}")))
        });
        let places = places.collect::<io::Result<Vec<_>>>()?;
        let facts = |group: &RowGroupMetaData| places.iter().map(|at| ColumnFacts::of(group.column(*at))).collect();
        let groups = self.metadata.metadata().row_groups().iter();
        Ok(groups.map(|group| Group { rows: rows_of(group), columns: facts(group) }).collect())
    }

    /// The numbers of rows of some row groups, in ascending order, whose text in a column may be one of the keys.
    pub fn fitting(&self, column: &str, groups: Vec<usize>, keys: &KeyHashes) -> io::Result<Vec<usize>> {
        let (_, batches) = self.read(&[column.to_owned()], groups.clone())?;
        let places = self.places();
        let mut numbers = groups.into_iter().flat_map(|number| places[number].clone());
        let mut fitting = Vec::new();
        for batch in &batches {
            let not_text = |Unhashable(kind)| no(&format!("texts in column {column}, but {kind}"));
            let held = keys.held_by(batch.column(0)).map_err(not_text)?;
            let here: Vec<usize> = numbers.by_ref().take(batch.num_rows()).collect();
            fitting.extend(held.into_iter().map(|at| here[at]));
        }
        Ok(fitting)
    }

    /// Columns, in the file's order, of all rows of some row groups.
    pub fn read(&self, columns: &[String], groups: Vec<usize>) -> io::Result<Rows> {
        if let Some(number) = groups.iter().find(|number| **number >= self.metadata.metadata().num_row_groups()) {
            return Err(no(&format!("row group {number}")));
        }
        self.batches(columns, groups, None)
    }

    /// Columns, in the file's order, of some rows, whose numbers are ascending.
    pub fn take(&self, columns: &[String], rows: &[usize]) -> io::Result<Rows> {
        if !rows.is_sorted_by(|one, next| one < next) {
            return Err(no("rows in that order"));
        }
        let (mut groups, mut ranges) = (Vec::new(), Vec::new());
        let (mut rest, mut before) = (rows, 0);
        for (number, place) in self.places().into_iter().enumerate() {
            let (here, further) = rest.split_at(rest.partition_point(|row| *row < place.end));
            if !here.is_empty() {
                groups.push(number);
                ranges.extend(here.iter().map(|row| row - place.start + before).map(|at| at..at + 1));
                before += place.len();
            }
            rest = further;
        }
        if let Some(row) = rest.first() {
            return Err(no(&format!("row {row}")));
        }
        self.batches(columns, groups, Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), before)))
    }

    /// The numbers of the rows of each row group.
    fn places(&self) -> Vec<Range<usize>> {
        let mut end = 0_usize;
        let place = |group| {
            let begin = end;
            end = begin.saturating_add(rows_of(group));
            begin..end
        };
        self.metadata.metadata().row_groups().iter().map(place).collect()
    }

    fn batches(&self, columns: &[String], groups: Vec<usize>, selection: Option<RowSelection>) -> io::Result<Rows> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), self.roots(columns)?);
        let ranges = whole(&self.path, || Ok(self.ranges(&mask, &groups)))?;
        let parts = Parts::read(&File::open(&self.path)?, ranges)?;
        let places = self.places();
        let rows = match &selection {
            Some(selection) => selection.row_count(),
            None => groups.iter().map(|number| places[*number].len()).sum(),
        };
        whole(&self.path, || {
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(parts, self.metadata.clone())
                .with_projection(mask)
                .with_row_groups(groups)
                .with_batch_size(BATCH_ROWS);
            let reader = selection.into_iter().fold(reader, ParquetRecordBatchReaderBuilder::with_row_selection);
            let reader = reader.build()?;
            let schema = reader.schema();
            let batches = reader.collect::<Result<Vec<_>, _>>()?;
            if batches.iter().map(RecordBatch::num_rows).sum::<usize>() != rows {
                return Err(ParquetError::EOF("it has other rows than its footer says".to_owned()));
            }
            Ok((schema, batches))
        })
    }

    /// Where columns of row groups lie.
    fn ranges(&self, mask: &ProjectionMask, groups: &[usize]) -> Vec<(u64, u64)> {
        let chunks =
            groups.iter().flat_map(|number| self.metadata.metadata().row_group(*number).columns().iter().enumerate());
        chunks.filter(|(leaf, _)| mask.leaf_included(*leaf)).map(|(_, chunk)| chunk.byte_range()).collect()
    }

    fn roots(&self, columns: &[String]) -> io::Result<Vec<usize>> {
        let fields = self.metadata.parquet_schema().root_schema().get_fields();
        let place = |name: &String| fields.iter().position(|field| field.name() == name);
        columns.iter().map(|name| place(name).ok_or_else(|| no(&format!("column {name}")))).collect()
    }
}

impl ColumnFacts {
    fn of(chunk: &ColumnChunkMetaData) -> Self {
        let statistics = chunk.statistics();
        Self { nulls: statistics.and_then(Statistics::null_count_opt), limits: statistics.and_then(Limits::of) }
    }
}

impl Limits {
    /// `None` also of values of other kinds.
    fn of(statistics: &Statistics) -> Option<Self> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match statistics {
            Statistics::ByteArray(values) => {
                Some(Self::Texts(text(values.min_bytes_opt()?)?, text(values.max_bytes_opt()?)?))
            }
            Statistics::Int32(values) => Some(Self::Numbers((*values.min_opt()?).into(), (*values.max_opt()?).into())),
            Statistics::Int64(values) => Some(Self::Numbers(*values.min_opt()?, *values.max_opt()?)),
            _ => None,
        }
    }
}

fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

/// What is read of a file, or that it is damaged: where a number in it cannot be, the parquet crate may panic.
fn whole<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> io::Result<T> {
    let damaged =
        |why: &dyn Display| io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {why}", path.display()));
    let result = panic::catch_unwind(AssertUnwindSafe(read)).map_err(|_| damaged(&"its parts do not fit together"))?;
    result.map_err(|error| match error {
        ParquetError::External(inner) => {
            inner.downcast::<io::Error>().map_or_else(|other| damaged(&other), |error| *error)
        }
        other => damaged(&other),
    })
}

fn no(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("the file has no {what}"))
}
