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
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

/// A column of a small row group has a few kilobytes, and each write is a call of the system.
const BUFFER_BYTES: usize = 1 << 20;

/// A row group: which of the sources it is in, and its number there.
type Place = (usize, usize);

/// A row group of a new file. The first place has all columns; each of the others has some that are taken in place of those.
pub type Layers = Vec<Place>;

/// Writes row groups, in that order, to a new file `target`, which must not be there.
///
/// All first places must have one schema, and all places of a row group one number of rows. A source is held in memory while
/// the file is written, so they are for files of some megabytes. Statistics of the columns come along; page indexes and Bloom
/// filters do not.
pub fn splice(sources: &[&Path], groups: &[Layers], target: &Path) -> io::Result<()> {
    let sources = sources.iter().map(|path| Source::open(path)).collect::<io::Result<Vec<_>>>()?;
    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(target)?);
    write(&sources, groups, file).map_err(|error| match error {
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

/// A row group where it lies.
#[derive(Clone, Copy)]
struct Layer<'a> {
    source: &'a Source,
    group: &'a RowGroupMetaData,
}

impl<'a> Layer<'a> {
    fn at(sources: &'a [Source], (source, group): Place) -> Result<Self> {
        let source = sources.get(source).ok_or_else(missing)?;
        let group = source.metadata.row_groups().get(group).ok_or_else(missing)?;
        Ok(Self { source, group })
    }

    fn column(self, like: &ColumnChunkMetaData) -> Option<&'a ColumnChunkMetaData> {
        self.group.columns().iter().find(|column| column.column_path() == like.column_path())
    }
}

fn missing() -> ParquetError {
    ParquetError::General("there is no row group to write".to_owned())
}

fn write(sources: &[Source], groups: &[Layers], file: BufWriter<File>) -> Result<()> {
    let layers = |places: &Layers| places.iter().map(|place| Layer::at(sources, *place)).collect::<Result<Vec<_>>>();
    let groups = groups.iter().map(layers).collect::<Result<Vec<_>>>()?;
    let first = groups.first().and_then(|layers| layers.first()).ok_or_else(missing)?;
    let schema = first.source.metadata.file_metadata().schema_descr().root_schema_ptr();
    let properties = WriterProperties::builder()
        .set_created_by(concat!("lakeflow-teams version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(file, schema.clone(), Arc::new(properties))?;
    for layers in &groups {
        let (base, over) = layers.split_first().ok_or_else(missing)?;
        if base.source.metadata.file_metadata().schema() != schema.as_ref() {
            return Err(ParquetError::General("the row groups are of different schemas".to_owned()));
        }
        if over.iter().any(|layer| layer.group.num_rows() != base.group.num_rows()) {
            return Err(ParquetError::General("the columns have different numbers of rows".to_owned()));
        }
        copy(&mut writer, *base, over)?;
    }
    writer.into_inner()?.flush()?;
    Ok(())
}

fn copy(writer: &mut SerializedFileWriter<BufWriter<File>>, base: Layer<'_>, over: &[Layer<'_>]) -> Result<()> {
    let mut out = writer.next_row_group()?;
    for column in base.group.columns() {
        let newer = over.iter().rev().find_map(|layer| layer.column(column).map(|column| (layer.source, column)));
        let (source, column) = newer.unwrap_or((base.source, column));
        let closed = ColumnCloseResult {
            bytes_written: column.compressed_size() as u64,
            rows_written: base.group.num_rows() as u64,
            metadata: column.clone(),
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        out.append_column(&source.content, closed)?;
    }
    out.close()?;
    Ok(())
}
