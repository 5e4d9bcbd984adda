//! Files of text columns, spliced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor as _;
use parquet::schema::parser::parse_message_type;

use super::splice;
use crate::test_folder::Folder;

impl Folder {
    /// A file of one text, in a column that may be null.
    fn optional_file(&self, name: &str, column: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        let schema =
            parse_message_type(&format!("message schema {{ optional binary {column} (UTF8); }}")).expect("a schema");
        let file = std::fs::File::create(&path).expect("a file");
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::default()).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        let mut values = group.next_column().expect("a column").expect("the only one");
        values.typed::<ByteArrayType>().write_batch(&[text.into()], Some(&[1]), None).expect("values");
        values.close().expect("closed");
        group.close().expect("closed");
        writer.close().expect("closed");
        path
    }

    /// A file with a row group for each list of texts.
    fn file(&self, name: &str, column: &str, groups: &[&[&str]]) -> PathBuf {
        self.wide_file(name, &[column], groups)
    }

    /// The same with the texts in each of several columns.
    fn wide_file(&self, name: &str, columns: &[&str], groups: &[&[&str]]) -> PathBuf {
        let path = self.0.join(name);
        let fields: Vec<String> = columns.iter().map(|column| format!("required binary {column} (UTF8);")).collect();
        let schema = parse_message_type(&format!("message schema {{ {} }}", fields.join(" "))).expect("a schema");
        let file = std::fs::File::create(&path).expect("a file");
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), properties).expect("a writer");
        for texts in groups {
            let mut group = writer.next_row_group().expect("a group");
            let values: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
            for _ in columns {
                let mut column = group.next_column().expect("a column").expect("as many as are named");
                column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("values");
                column.close().expect("closed");
            }
            group.close().expect("closed");
        }
        writer.close().expect("closed");
        path
    }
}

fn content(path: &Path) -> Vec<String> {
    column(path, 0)
}

fn column(path: &Path, at: usize) -> Vec<String> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).expect("a file")).expect("a reader");
    reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").get_string(at).expect("a text").clone())
        .collect()
}

#[test]
fn row_groups_come_in_the_order_that_is_asked_for() {
    let folder = Folder::new("order");
    let one = folder.file("one", "id", &[&["a", "b"], &["c"], &["d"]]);
    let two = folder.file("two", "id", &[&["x"], &["y", "z"]]);
    let target = folder.0.join("target");
    splice(&[&one, &two], &[vec![(0, 2)], vec![(1, 1)], vec![(0, 0)]], &target).expect("spliced");
    assert_eq!(content(&target), ["d", "y", "z", "a", "b"]);
}

#[test]
fn statistics_come_along() {
    let folder = Folder::new("statistics");
    let one = folder.file("one", "id", &[&["m", "k"], &["z"]]);
    let target = folder.0.join("target");
    splice(&[&one], &[vec![(0, 0)]], &target).expect("spliced");
    let reader = SerializedFileReader::new(std::fs::File::open(&target).expect("a file")).expect("a reader");
    let statistics = reader.metadata().row_group(0).column(0).statistics().expect("statistics").clone();
    assert_eq!(statistics.min_bytes_opt(), Some("k".as_bytes()));
    assert_eq!(statistics.max_bytes_opt(), Some("m".as_bytes()));
}

#[test]
fn a_column_is_taken_from_the_last_layer_that_has_it() {
    let folder = Folder::new("layers");
    let base = folder.wide_file("base", &["id", "name", "text"], &[&["a", "b"], &["c"]]);
    let name = folder.file("name", "name", &[&["x"], &["x", "y"]]);
    let both = folder.wide_file("both", &["text", "name"], &[&["u", "v"]]);
    let target = folder.0.join("target");
    let groups = [vec![(0, 0), (2, 0), (1, 1)], vec![(0, 1)], vec![(0, 1), (1, 0)]];
    splice(&[&base, &name, &both], &groups, &target).expect("spliced");
    assert_eq!(column(&target, 0), ["a", "b", "c", "c"]);
    assert_eq!(column(&target, 1), ["x", "y", "c", "x"]);
    assert_eq!(column(&target, 2), ["u", "v", "c", "c"]);
    let reader = SerializedFileReader::new(std::fs::File::open(&target).expect("a file")).expect("a reader");
    let statistics = reader.metadata().row_group(0).column(1).statistics().expect("statistics").clone();
    assert_eq!(statistics.min_bytes_opt(), Some("x".as_bytes()));
}

#[test]
fn layers_of_other_lengths_are_refused() {
    let folder = Folder::new("lengths");
    let base = folder.wide_file("base", &["id", "name"], &[&["a", "b"]]);
    let name = folder.file("name", "name", &[&["x"]]);
    let error = splice(&[&base, &name], &[vec![(0, 0), (1, 0)]], &folder.0.join("target")).expect_err("refused");
    assert!(error.to_string().contains("numbers of rows"), "{error}");
}

#[test]
fn a_layer_of_another_type_is_refused() {
    let folder = Folder::new("types");
    let base = folder.wide_file("base", &["id", "name"], &[&["a"]]);
    let name = folder.optional_file("name", "name", "b");
    let error = splice(&[&base, &name], &[vec![(0, 0), (1, 0)]], &folder.0.join("target")).expect_err("refused");
    assert!(error.to_string().contains("different schemas"), "{error}");
}

#[test]
fn offsets_are_those_of_the_new_file() {
    let folder = Folder::new("offsets");
    let one = folder.wide_file("one", &["id", "name"], &[&["a", "b"], &["c"], &["d"]]);
    let target = folder.0.join("target");
    let numbers = [2, 0, 1];
    splice(&[&one], &numbers.map(|number| vec![(0, number)]), &target).expect("spliced");
    let [before, reader] = [&one, &target]
        .map(|path| SerializedFileReader::new(std::fs::File::open(path).expect("a file")).expect("a reader"));
    let into_chunk = |column: &ColumnChunkMetaData| column.data_page_offset() - column.byte_range().0.cast_signed();
    let mut end = 4;
    for (group, number) in reader.metadata().row_groups().iter().zip(numbers) {
        assert_eq!(group.file_offset(), Some(end));
        for (column, copied) in group.columns().iter().zip(before.metadata().row_group(number).columns()) {
            let (begin, length) = column.byte_range();
            assert_eq!(begin.cast_signed(), end);
            assert!(column.dictionary_page_offset().is_some(), "both offsets are moved");
            assert_eq!(into_chunk(column), into_chunk(copied));
            assert!(column.column_index_offset().is_none() && column.offset_index_offset().is_none());
            end += length.cast_signed();
        }
    }
    assert_eq!(reader.metadata().file_metadata().num_rows(), 4);
}

#[test]
fn another_schema_is_refused() {
    let folder = Folder::new("schema");
    let one = folder.file("one", "id", &[&["a"]]);
    let two = folder.file("two", "name", &[&["b"]]);
    let error = splice(&[&one, &two], &[vec![(0, 0)], vec![(1, 0)]], &folder.0.join("target")).expect_err("refused");
    assert!(error.to_string().contains("different schemas"), "{error}");
}

#[test]
fn a_row_group_that_is_not_there_is_refused() {
    let folder = Folder::new("missing");
    let one = folder.file("one", "id", &[&["a"]]);
    for groups in [&[vec![(0, 1)]][..], &[vec![(1, 0)]], &[vec![(0, 0)], vec![]], &[vec![]], &[]] {
        let target = folder.0.join("target");
        let error = splice(&[&one], groups, &target).expect_err("refused");
        assert!(error.to_string().contains("no row group"), "{error}");
        let _ = std::fs::remove_file(target);
    }
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let folder = Folder::new("exists");
    let one = folder.file("one", "id", &[&["a"]]);
    let error = splice(&[&one], &[vec![(0, 0)]], &one).expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(content(&one), ["a"]);
}

#[test]
fn what_is_no_parquet_file_is_named() {
    let folder = Folder::new("other");
    let one = folder.0.join("other.parquet");
    std::fs::write(&one, "not a file of columns").expect("written");
    let error = splice(&[&one], &[vec![(0, 0)]], &folder.0.join("target")).expect_err("refused");
    assert!(error.to_string().contains("other.parquet"), "{error}");
}
