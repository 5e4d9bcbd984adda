//! Parquet files made of row groups of others. What did not change is copied as it lies there: nothing is decoded, which costs
//! a hundredth of reading and writing the rows anew.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

/// A column of a small row group has a few kilobytes, and each write is a call of the system.
const BUFFER_BYTES: usize = 1 << 20;

/// A row group: which of the sources it is in, and its number there.
pub type Place = (usize, usize);

/// Writes the row groups at `places`, in that order, to a new file `target`, which must not be there.
///
/// All sources must have one schema. A source is held in memory while the file is written, so they are for files of some
/// megabytes. Statistics of the columns come along; page indexes and Bloom filters do not.
pub fn splice(sources: &[&Path], places: &[Place], target: &Path) -> io::Result<()> {
    let sources = sources.iter().map(|path| Source::open(path)).collect::<io::Result<Vec<_>>>()?;
    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(target)?);
    write(&sources, places, file).map_err(|error| match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })
}

struct Source {
    content: Bytes,
    metadata: ParquetMetaData,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let content = Bytes::from(fs::read(path)?);
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&content)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))?;
        Ok(Self { content, metadata })
    }
}

fn write(sources: &[Source], places: &[Place], file: BufWriter<File>) -> Result<()> {
    let missing = || ParquetError::General("there is no row group to write".to_owned());
    let first = sources.get(places.first().ok_or_else(missing)?.0).ok_or_else(missing)?;
    let schema = first.metadata.file_metadata().schema_descr().root_schema_ptr();
    let properties = WriterProperties::builder()
        .set_created_by(concat!("lakeflow-teams version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(file, schema.clone(), Arc::new(properties))?;
    for &(source, group) in places {
        let source = sources.get(source).ok_or_else(missing)?;
        if source.metadata.file_metadata().schema() != schema.as_ref() {
            return Err(ParquetError::General("the row groups are of different schemas".to_owned()));
        }
        if group >= source.metadata.num_row_groups() {
            return Err(missing());
        }
        copy(&mut writer, &source.content, source.metadata.row_group(group))?;
    }
    writer.into_inner()?.flush()?;
    Ok(())
}

fn copy(writer: &mut SerializedFileWriter<BufWriter<File>>, content: &Bytes, group: &RowGroupMetaData) -> Result<()> {
    let mut out = writer.next_row_group()?;
    for column in group.columns() {
        let closed = ColumnCloseResult {
            bytes_written: column.compressed_size() as u64,
            rows_written: group.num_rows() as u64,
            metadata: column.clone(),
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        out.append_column(content, closed)?;
    }
    out.close()?;
    Ok(())
}
