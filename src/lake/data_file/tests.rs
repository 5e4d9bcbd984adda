//! A file of three row groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::key_hashes::KeyHashes;
use crate::test_folder::Folder;

use super::{ColumnFacts, DataFile, FileLayout, Group, Limits, Rows};

impl Folder {
    /// A file of ids, which may be null, and of their numbers, four to a row group.
    fn file_of_ids(&self, ids: &[Option<&str>]) -> PathBuf {
        self.written("file", [("id", texts(ids)), ("number", numbers(ids.len()))])
    }

    fn written<const N: usize>(&self, name: &str, columns: [(&str, ArrayRef); N]) -> PathBuf {
        let path = self.0.join(name);
        let rows = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true)));
        let rows = rows.expect("rows");
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(4)).build();
        let file = std::fs::File::create(&path).expect("a file");
        let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).expect("a writer");
        writer.write(&rows).expect("written");
        writer.close().expect("closed");
        path
    }
}

fn texts(ids: &[Option<&str>]) -> ArrayRef {
    Arc::new(ids.iter().copied().collect::<StringArray>())
}

fn numbers(count: usize) -> ArrayRef {
    Arc::new((0_i64..).take(count).collect::<Int64Array>())
}

fn layout(path: &Path) -> FileLayout {
    FileLayout::of(std::fs::read(path).expect("a file").into()).expect("a layout")
}

fn opened(path: &Path) -> DataFile {
    layout(path).open(path).expect("a file").expect("its own layout")
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn values((_, batches): Rows) -> Vec<i64> {
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

const IDS: [Option<&str>; 10] =
    [Some("a"), Some("b"), None, Some("d"), Some("e"), Some("f"), Some("g"), Some("h"), None, None];

#[test]
fn rows_are_taken_by_their_number() {
    let folder = Folder::new("taken");
    let file = opened(&folder.file_of_ids(&IDS));
    let number = columns(&["number"]);
    assert_eq!(values(file.take(&number, &[0, 3, 4, 9]).expect("rows")), [0, 3, 4, 9]);
    assert_eq!(values(file.take(&number, &[8]).expect("rows")), [8]);
    assert_eq!(values(file.take(&number, &[]).expect("rows")), []);
    assert_eq!(values(file.read(&number, vec![0, 2]).expect("rows")), [0, 1, 2, 3, 8, 9]);
    let (schema, batches) = file.take(&columns(&["number", "id"]), &[2, 7]).expect("rows");
    assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["id", "number"]);
    assert_eq!(batches[0].column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [None, Some("h")]);
}

#[test]
fn rows_that_may_have_a_key_are_named_by_their_number() {
    let folder = Folder::new("fitting");
    let file = opened(&folder.file_of_ids(&IDS));
    let wanted = RecordBatch::try_from_iter([("id", texts(&[Some("b"), Some("h"), Some("z")]))]).expect("keys");
    let keys = KeyHashes::of(&[wanted]).expect("keys");
    assert_eq!(file.fitting("id", vec![0, 1, 2], &keys).expect("rows"), [1, 7]);
    assert_eq!(file.fitting("id", vec![1, 2], &keys).expect("rows"), [7]);
    assert_eq!(file.fitting("id", vec![2], &keys).expect("rows"), [0_usize; 0]);
    let error = file.fitting("number", vec![0], &keys).expect_err("no texts").to_string();
    assert_eq!(error, "the file has no texts in column number, but Int64");
}

#[test]
fn what_a_file_does_not_have_is_an_error() {
    let folder = Folder::new("absent");
    let file = opened(&folder.file_of_ids(&IDS));
    let number = columns(&["number"]);
    let said = [
        file.take(&number, &[3, 10]).expect_err("no row"),
        file.take(&number, &[3, 3]).expect_err("no order"),
        file.read(&number, vec![0, 3]).expect_err("no group"),
        file.take(&columns(&["text"]), &[0]).expect_err("no column"),
        file.groups(&columns(&["text"])).expect_err("no column"),
    ];
    let said = said.map(|error| error.to_string());
    let what = ["row 10", "rows in that order", "row group 3", "column text", "column text"];
    assert_eq!(said, what.map(|what| format!("the file has no {what}")));
}

#[test]
fn facts_are_those_of_the_footer() {
    let folder = Folder::new("facts");
    let texts = |least: &str, greatest: &str| Some(Limits::Texts(least.to_owned(), greatest.to_owned()));
    let group = |rows, nulls, limits, least, greatest| Group {
        rows,
        columns: vec![
            ColumnFacts { nulls: Some(nulls), limits },
            ColumnFacts { nulls: Some(0), limits: Some(Limits::Numbers(least, greatest)) },
        ],
    };
    let groups = opened(&folder.file_of_ids(&IDS)).groups(&columns(&["id", "number"])).expect("facts");
    let expected = [group(4, 1, texts("a", "d"), 0, 3), group(4, 0, texts("e", "h"), 4, 7), group(2, 2, None, 8, 9)];
    assert_eq!(groups, expected);
}

#[test]
fn a_file_of_other_columns_is_not_ours_and_a_damaged_one_is_an_error() {
    let folder = Folder::new("others");
    let path = folder.file_of_ids(&IDS);
    let other = folder.written("other", [("number", numbers(3)), ("id", self::texts(&IDS[..3]))]);
    assert!(layout(&path).open(&other).expect("a file").is_none());
    let layout = layout(&path);
    let file = layout.open(&path).expect("a file").expect("ours");
    let content = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &content[..content.len() - 9]).expect("shortened");
    let error = layout.open(&path).expect_err("damaged").to_string();
    assert!(error.starts_with(&format!("{} is damaged: ", path.display())), "{error}");
    std::fs::write(&path, &content[..20]).expect("shortened");
    let error = file.take(&columns(&["number"]), &[9]).expect_err("damaged").to_string();
    assert!(error.starts_with(&format!("{} is damaged: ", path.display())), "{error}");
}
