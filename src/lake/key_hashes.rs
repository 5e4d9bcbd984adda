//! Which of the keys that are looked for a file may hold. A key of any columns is a hash of five bytes, so that those of millions of
//! rows fit into memory. Two keys of one hash are taken for the same: what is told is a hint, to be looked up. A key that is told not to
//! be there is not there.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, RecordBatch, StringArray};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// No text: it hashes like none.
const NULL: u64 = 0x9e37_79b9_7f4a_7c15;

/// The most significant bytes of a hash, which are ordered like it. Of ten thousand keys that a file of 16,000 rows does not hold, one
/// in seven thousand such lots has a key that it seems to hold.
type Hash = [u8; 5];

/// A column that is not text.
#[derive(Debug, PartialEq, Eq)]
pub struct Unhashable(pub String);

/// The keys of some rows, at most four thousand millions: each hash with the number of its row, in the order of the hashes.
#[derive(Debug)]
pub struct KeyHashes(Vec<(Hash, u32)>);

impl KeyHashes {
    /// Of batches of the columns of the key, all of them text.
    pub fn of(batches: &[RecordBatch]) -> Result<Self, Unhashable> {
        let mut hashes = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        for batch in batches {
            let first = hashes.len();
            hashes.resize(first + batch.num_rows(), xxh3_64(&[]));
            for column in batch.columns() {
                for (text, hash) in texts(column)?.iter().zip(&mut hashes[first..]) {
                    *hash = text.map_or_else(|| hash.rotate_left(1) ^ NULL, |text| with_text(*hash, text));
                }
            }
        }
        let mut sorted: Vec<(u64, u32)> = hashes.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        Ok(Self(sorted.into_iter().map(|(hash, row)| (shortened(hash), row)).collect()))
    }

    /// The rows that have a key of another one too, in ascending order. It may name rows that only seem to.
    pub fn repeated(&self) -> Vec<u32> {
        let groups = self.0.chunk_by(|one, next| one.0 == next.0).filter(|group| group.len() > 1);
        let mut rows: Vec<u32> = groups.flatten().map(|(_, row)| *row).collect();
        rows.sort_unstable();
        rows
    }

    /// Of texts those that may be one of these keys, which are of one column: their numbers, in ascending order.
    pub fn held_by(&self, column: &dyn Array) -> Result<Vec<usize>, Unhashable> {
        let hash_of = |text: &str| shortened(with_text(xxh3_64(&[]), text));
        let mut begins = vec![false; 1 << 16];
        self.0.iter().for_each(|(hash, _)| begins[begin_of(*hash)] = true);
        let may_be_held = |text: &str| {
            let hash = hash_of(text);
            begins[begin_of(hash)] && self.0.binary_search_by_key(&hash, |(known, _)| *known).is_ok()
        };
        let numbered = texts(column)?.iter().enumerate();
        Ok(numbered.filter(|(_, text)| text.is_some_and(may_be_held)).map(|(row, _)| row).collect())
    }

    /// The rows whose key may be among sorted hashes, in ascending order.
    fn among(&self, known: &[Hash]) -> Vec<u32> {
        let (mut rest, mut found) = (known, Vec::new());
        for &(hash, row) in &self.0 {
            rest = &rest[below(rest, hash)..];
            match rest.first() {
                Some(&next) if next == hash => found.push(row),
                Some(_) => {}
                None => break,
            }
        }
        found.sort_unstable();
        found
    }
}

fn texts(column: &dyn Array) -> Result<&StringArray, Unhashable> {
    column.as_string_opt::<i32>().ok_or_else(|| Unhashable(column.data_type().to_string()))
}

fn with_text(hash: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), hash)
}

/// What most hashes that are not among some thousand others are told from them by.
fn begin_of(hash: Hash) -> usize {
    usize::from(u16::from_be_bytes([hash[0], hash[1]]))
}

fn shortened(hash: u64) -> Hash {
    let bytes = hash.to_be_bytes();
    std::array::from_fn(|at| bytes[at])
}

/// How many of sorted hashes are below one, of which there are few more.
fn below(sorted: &[Hash], hash: Hash) -> usize {
    let mut reach = 1;
    while reach < sorted.len() && sorted[reach] < hash {
        reach *= 2;
    }
    let from = reach / 2;
    from + sorted[from..sorted.len().min(reach + 1)].partition_point(|&one| one < hash)
}

struct File {
    /// Files that were written later have a greater number.
    number: u64,
    /// Those of all files that were written together.
    hashes: Arc<[Hash]>,
}

/// The keys of files, as long as there is room for them; beyond that the oldest files are forgotten.
pub struct RecentKeys {
    files: HashMap<String, File>,
    written: u64,
    most_bytes: usize,
}

impl RecentKeys {
    pub fn new(most_bytes: usize) -> Self {
        Self { files: HashMap::new(), written: 0, most_bytes }
    }

    /// New files, and the keys of the rows in all of them.
    pub fn note(&mut self, paths: Vec<String>, keys: &KeyHashes) {
        self.insert(paths, keys.0.iter().map(|(hash, _)| *hash).collect());
    }

    /// The rows of some files are in others now, and those are forgotten. Where one of them is not known, neither are these.
    pub fn follow(&mut self, before: &[String], after: Vec<String>) {
        let known: Vec<_> = before.iter().map(|path| self.files.remove(path)).collect();
        let Some(known) = known.into_iter().collect::<Option<Vec<_>>>() else { return };
        let mut groups: Vec<&Arc<[Hash]>> = known.iter().map(|file| &file.hashes).collect();
        groups.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let mut hashes: Vec<Hash> = groups.into_iter().flat_map(|group| group.iter().copied()).collect();
        if !hashes.is_empty() {
            hashes.sort_unstable();
            hashes.dedup();
            self.insert(after, hashes.into());
        }
    }

    /// There are no other files any more.
    pub fn keep(&mut self, mut is_there: impl FnMut(&str) -> bool) {
        self.files.retain(|path, _| is_there(path));
    }

    /// For each file the rows whose key it may hold; `None` for one that is not known.
    pub fn among(&self, paths: &[String], wanted: &KeyHashes) -> Vec<Option<Vec<u32>>> {
        let mut found: HashMap<*const Hash, Vec<u32>> = HashMap::new();
        let mut of_group =
            |hashes: &Arc<[Hash]>| found.entry(hashes.as_ptr()).or_insert_with(|| wanted.among(hashes)).clone();
        paths.iter().map(|path| self.files.get(path).map(|file| of_group(&file.hashes))).collect()
    }

    fn insert(&mut self, paths: Vec<String>, hashes: Arc<[Hash]>) {
        for path in paths {
            self.written += 1;
            self.files.insert(path, File { number: self.written, hashes: Arc::clone(&hashes) });
        }
        while self.bytes() > self.most_bytes {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.number).map(|(path, _)| path.clone());
            let Some(oldest) = oldest else { return };
            self.files.remove(&oldest);
        }
    }

    fn bytes(&self) -> usize {
        let groups: HashMap<*const Hash, usize> =
            self.files.values().map(|file| (file.hashes.as_ptr(), size_of_val(file.hashes.as_ref()))).collect();
        groups.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
        RecordBatch::try_from_iter(columns.into_iter().zip(["a", "b"]).map(|(column, name)| (name, column))).unwrap()
    }

    fn keys(rows: &[(&str, Option<&str>)]) -> KeyHashes {
        let of = |rows: &[(&str, Option<&str>)]| {
            batch(vec![
                Arc::new(rows.iter().map(|(first, _)| Some(*first)).collect::<StringArray>()),
                Arc::new(rows.iter().map(|(_, second)| *second).collect::<StringArray>()),
            ])
        };
        let (some, others) = rows.split_at(rows.len() / 2);
        KeyHashes::of(&[of(some), of(others)]).unwrap()
    }

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_key_is_all_of_its_columns() {
        let distinct = [("a", Some("b")), ("b", Some("a")), ("ab", Some("")), ("", Some("ab")), ("ab", None)];
        assert_eq!(keys(&distinct).repeated(), [0_u32; 0]);
        assert_eq!(keys(&[("a", None), ("b", None), ("a", None), ("c", None), ("a", None)]).repeated(), [0, 2, 4]);
        let numbers = KeyHashes::of(&[batch(vec![Arc::new(Int64Array::from(vec![1]))])]);
        assert_eq!(numbers.unwrap_err(), Unhashable("Int64".to_owned()));
    }

    #[test]
    fn what_a_file_may_hold_is_told_by_the_numbers_of_rows() {
        let mut recent = RecentKeys::new(1 << 20);
        let all: Vec<String> = (0..1_000).map(|number| format!("{number}")).collect();
        let even: Vec<_> = all.iter().step_by(2).map(|key| (key.as_str(), Some("x"))).collect();
        recent.note(paths(&["one", "two"]), &keys(&even));
        recent.note(paths(&["three"]), &keys(&[("7", Some("x"))]));
        let wanted =
            keys(&[("7", Some("x")), ("998", Some("x")), ("4", Some("y")), ("4", Some("x")), ("7", Some("x"))]);
        let found = recent.among(&paths(&["one", "two", "three", "four"]), &wanted);
        assert_eq!(found, [Some(vec![1, 3]), Some(vec![1, 3]), Some(vec![0, 4]), None]);
    }

    #[test]
    fn texts_are_held_against_keys_of_one_column() {
        let of = |texts: &[Option<&str>]| texts.iter().copied().collect::<StringArray>();
        let one = RecordBatch::try_from_iter([("a", Arc::new(of(&[Some("x"), None, Some("7")])) as ArrayRef)]).unwrap();
        let keys = KeyHashes::of(&[one]).unwrap();
        let all: Vec<String> = (0..2_000).map(|number| format!("{number}")).collect();
        let column: StringArray = all.iter().map(Some).chain([None, Some(&"x".to_owned())]).collect();
        assert_eq!(keys.held_by(&column), Ok(vec![7, 2_001]), "no text is no key");
        assert_eq!(keys.held_by(&Int64Array::from(vec![7])), Err(Unhashable("Int64".to_owned())));
    }

    #[test]
    fn files_are_followed_and_forgotten() {
        let mut recent = RecentKeys::new(4 * size_of::<Hash>());
        let wanted = keys(&[("2", None), ("3", None), ("4", None)]);
        let ask = |recent: &RecentKeys, path: &str| recent.among(&paths(&[path]), &wanted).remove(0);
        recent.note(paths(&["one"]), &keys(&[("1", None), ("2", None)]));
        recent.note(paths(&["two"]), &keys(&[("3", None)]));
        recent.follow(&paths(&["one", "two"]), paths(&["three"]));
        assert_eq!((ask(&recent, "one"), ask(&recent, "three")), (None, Some(vec![0, 1])));
        recent.note(paths(&["four"]), &keys(&[("4", None)]));
        recent.follow(&paths(&["four", "unknown"]), paths(&["five"]));
        assert_eq!(ask(&recent, "five"), None, "rows of an unknown file are in it too");
        recent.note(paths(&["six"]), &keys(&[("6", None), ("7", None)]));
        assert_eq!((ask(&recent, "three"), ask(&recent, "six")), (None, Some(vec![])), "there is no room for both");
        recent.keep(|path| path != "six");
        assert_eq!(ask(&recent, "six"), None);
    }
}
