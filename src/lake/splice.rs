//! Parquet files made of row groups of others. What did not change is copied as it lies there: nothing is decoded, which costs
//! a hundredth of reading and writing the rows anew, and what lies together in a file is copied in one go, by the system where
//! it can.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};

/// What a file begins with.
const MAGIC: &[u8] = b"PAR1";

/// A row group: which of the sources it is in, and its number there.
type Place = (usize, usize);

/// A row group of a new file. The first place has all columns; each of the others has some that are taken in place of those.
pub type Layers = Vec<Place>;

/// Writes row groups, in that order, to a new file `target`, which must not be there.
///
/// All first places must have one schema, and all places of a row group one number of rows. Statistics of the columns come
/// along; page indexes and Bloom filters do not.
pub fn splice(sources: &[&Path], groups: &[Layers], target: &Path) -> io::Result<()> {
    let sources = sources.iter().map(|path| Source::open(path)).collect::<io::Result<Vec<_>>>()?;
    write(&sources, groups, File::create_new(target)?).map_err(|error| match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })
}

struct Source {
    file: File,
    metadata: ParquetMetaData,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&file)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))?;
        Ok(Self { file, metadata })
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

fn other_schema() -> ParquetError {
    ParquetError::General("the row groups are of different schemas".to_owned())
}

fn missing() -> ParquetError {
    ParquetError::General("there is no row group to write".to_owned())
}

fn write(sources: &[Source], groups: &[Layers], mut file: File) -> Result<()> {
    let layers = |places: &Layers| places.iter().map(|place| Layer::at(sources, *place)).collect::<Result<Vec<_>>>();
    let groups = groups.iter().map(layers).collect::<Result<Vec<_>>>()?;
    let like = groups.first().and_then(|layers| layers.first()).ok_or_else(missing)?.source.metadata.file_metadata();
    let mut content = Content { runs: Vec::new(), end: MAGIC.len() as u64 };
    let mut row_groups = Vec::with_capacity(groups.len());
    for layers in &groups {
        let (base, over) = layers.split_first().ok_or_else(missing)?;
        if base.source.metadata.file_metadata().schema() != like.schema() {
            return Err(other_schema());
        }
        if over.iter().any(|layer| layer.group.num_rows() != base.group.num_rows()) {
            return Err(ParquetError::General("the columns have different numbers of rows".to_owned()));
        }
        row_groups.push(placed(&mut content, row_groups.len(), *base, over)?);
    }
    file.write_all(MAGIC)?;
    for run in &content.runs {
        run.copy(&mut file)?;
    }
    // Through a buffer of our own: the writer's is emptied when it is dropped, where a full disk is not told.
    let mut end = Vec::new();
    ParquetMetaDataWriter::new(&mut end, &footer(like, row_groups)).finish()?;
    Ok(file.write_all(&end)?)
}

fn footer(like: &FileMetaData, groups: Vec<RowGroupMetaData>) -> ParquetMetaData {
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let writer = Some(concat!("lakeflow-teams version ", env!("CARGO_PKG_VERSION")).to_owned());
    let orders = like.column_orders().cloned();
    let file = FileMetaData::new(like.version(), rows, writer, None, like.schema_descr_ptr(), orders);
    ParquetMetaData::new(file, groups)
}

/// What a new file has between its first bytes and its footer.
struct Content<'a> {
    runs: Vec<Run<'a>>,
    end: u64,
}

/// Bytes that lie together in one source.
struct Run<'a> {
    source: &'a Source,
    begin: u64,
    length: u64,
}

impl<'a> Content<'a> {
    /// Where bytes of a source will lie.
    fn place(&mut self, source: &'a Source, (begin, length): (u64, u64)) -> u64 {
        match self.runs.last_mut() {
            Some(last) if std::ptr::eq(last.source, source) && last.begin + last.length == begin => {
                last.length += length;
            }
            _ => self.runs.push(Run { source, begin, length }),
        }
        self.end += length;
        self.end - length
    }
}

impl Run<'_> {
    fn copy(&self, target: &mut File) -> Result<()> {
        let mut source = &self.source.file;
        source.seek(SeekFrom::Start(self.begin))?;
        let copied = io::copy(&mut source.take(self.length), target)?;
        if copied == self.length {
            Ok(())
        } else {
            Err(ParquetError::EOF("a file ends before its row groups".to_owned()))
        }
    }
}

/// A row group at its place in a new file.
fn placed<'a>(
    content: &mut Content<'a>,
    number: usize,
    base: Layer<'a>,
    over: &[Layer<'a>],
) -> Result<RowGroupMetaData> {
    let begin = content.end;
    let columns = base.group.columns().iter().map(|column| {
        let newer = over.iter().rev().find_map(|layer| layer.column(column).map(|column| (layer.source, column)));
        let (source, chosen) = newer.unwrap_or((base.source, column));
        if chosen.column_descr() != column.column_descr() {
            return Err(other_schema());
        }
        let range = chosen.byte_range();
        moved(chosen, content.place(source, range).cast_signed() - range.0.cast_signed())
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let too_many = |_| ParquetError::General("a file has room for 32,767 row groups".to_owned());
    RowGroupMetaData::builder(base.source.metadata.file_metadata().schema_descr_ptr())
        .set_num_rows(base.group.num_rows())
        .set_total_byte_size(columns.iter().map(ColumnChunkMetaData::uncompressed_size).sum())
        .set_file_offset(begin.cast_signed())
        .set_ordinal(i16::try_from(number).map_err(too_many)?)
        .set_column_metadata(columns)
        .build()
}

/// A column so many bytes further on. Indexes and filters lie elsewhere in its file, and are left there.
fn moved(column: &ColumnChunkMetaData, by: i64) -> Result<ColumnChunkMetaData> {
    let mut moved = ColumnChunkMetaData::builder(column.column_descr_ptr())
        .set_compression_codec(column.compression_codec())
        .set_encodings_mask(*column.encodings_mask())
        .set_total_compressed_size(column.compressed_size())
        .set_total_uncompressed_size(column.uncompressed_size())
        .set_num_values(column.num_values())
        .set_data_page_offset(column.data_page_offset() + by)
        .set_dictionary_page_offset(column.dictionary_page_offset().map(|offset| offset + by))
        .set_unencoded_byte_array_data_bytes(column.unencoded_byte_array_data_bytes())
        .set_repetition_level_histogram(column.repetition_level_histogram().cloned())
        .set_definition_level_histogram(column.definition_level_histogram().cloned());
    if let Some(statistics) = column.statistics() {
        moved = moved.set_statistics(statistics.clone());
    }
    moved.build()
}
