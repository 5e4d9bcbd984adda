//! All posts of a container on disk, in the order in which they are sent: one file of bodies, and one of what is known of
//! each, a line per post. Neither changes once it is written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compose::StoredImage;

/// What is known of a post before it is sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Item {
    #[serde(rename = "id")]
    pub source_id: String,
    #[serde(rename = "up", default, skip_serializing_if = "Option::is_none")]
    pub source_parent: Option<String>,
    /// The place of the post that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Milliseconds since 1970.
    pub at: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// Where its body is; nothing of an item that is not sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub length: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<StoredImage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<LeftOut>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeftOut {
    pub skipped: bool,
    pub code: String,
    pub reason: String,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The two files of a container.
#[derive(Debug, Clone)]
pub struct Spool {
    items: PathBuf,
    bodies: PathBuf,
}

impl Spool {
    pub fn of(folder: &Path, container: usize) -> Self {
        Self {
            items: folder.join(format!("{container:05}.items")),
            bodies: folder.join(format!("{container:05}.bodies")),
        }
    }

    pub fn write_bodies(&self) -> io::Result<BufWriter<File>> {
        Ok(BufWriter::with_capacity(1 << 16, File::create(&self.bodies)?))
    }

    /// Written beside and moved into place, so that a file that is there is whole.
    pub fn write_items(&self, items: impl Iterator<Item = Item>) -> io::Result<()> {
        let beside = self.items.with_extension("new");
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&beside)?);
        for item in items {
            serde_json::to_writer(&mut file, &item)?;
            file.write_all(b"\n")?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()?;
        std::fs::rename(beside, &self.items)
    }

    /// The items in their order. A container without messages has no file.
    pub fn items(&self) -> io::Result<Items> {
        let file = match File::open(&self.items) {
            Ok(file) => Some(BufReader::with_capacity(1 << 16, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Items { file, line: String::new() })
    }

    pub fn bodies(&self) -> io::Result<Bodies> {
        Ok(Bodies { file: File::open(&self.bodies)? })
    }
}

pub struct Items {
    file: Option<BufReader<File>>,
    line: String,
}

impl Iterator for Items {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.file.as_mut()?.read_line(&mut self.line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&self.line).map_err(io::Error::other)),
            Err(error) => Some(Err(error)),
        }
    }
}

pub struct Bodies {
    file: File,
}

impl Bodies {
    /// The body of an item, as a JSON object.
    pub fn read(&mut self, item: &Item) -> io::Result<String> {
        let mut bytes = vec![0; item.length as usize];
        self.file.seek(SeekFrom::Start(item.from))?;
        self.file.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}
