//! To whom a broadcast goes: a line of JSON each, written before the first message and never changed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connector::State;
use teams_base::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    User,
    Channel,
    /// A channel behind a workflow, by the name that the plan gives it: its address is a secret.
    Webhook,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Channel => "channel",
            Self::Webhook => "webhook",
        }
    }
}

/// One recipient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// The object id of a user in lower case, or the id of a channel.
    pub id: String,
    #[serde(default)]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a user: links that open a chat need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    /// Left out from the start: a guest, somebody without a licence, or nobody.
    #[serde(default, skip_serializing_if = "is_queued")]
    pub state: State,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What the card's template is given.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_queued(state: &State) -> bool {
    *state == State::Queued
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("The recipients of the broadcast cannot be read or written: {error}"))
}

/// Writes recipients to a file that takes its name once it is whole.
pub struct Writer {
    path: PathBuf,
    draft: PathBuf,
    file: BufWriter<File>,
}

impl Writer {
    pub fn create(path: &Path) -> Result<Self> {
        let draft = path.with_extension("draft");
        let file = BufWriter::new(File::create(&draft).map_err(failed)?);
        Ok(Self { path: path.to_owned(), draft, file })
    }

    pub fn push(&mut self, recipient: &Recipient) -> Result<()> {
        serde_json::to_writer(&mut self.file, recipient).map_err(failed)?;
        self.file.write_all(b"\n").map_err(failed)
    }

    /// Puts the file in its place, on disk.
    pub fn finish(mut self) -> Result<()> {
        let finish = |file: &mut BufWriter<File>| -> io::Result<()> {
            file.flush()?;
            file.get_ref().sync_all()
        };
        finish(&mut self.file).map_err(failed)?;
        std::fs::rename(&self.draft, &self.path).map_err(failed)
    }
}

/// The frozen recipients: read one at a time, so that memory holds only where each begins.
pub struct Recipients {
    file: Mutex<BufReader<File>>,
    starts: Vec<u64>,
}

impl Recipients {
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let (mut starts, mut at) = (Vec::new(), 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = file.read_until(b'\n', &mut line).map_err(failed)?;
            if length == 0 {
                return Ok(Self { file: Mutex::new(file), starts });
            }
            starts.push(at);
            at += length as u64;
        }
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    pub fn get(&self, at: usize) -> Result<Recipient> {
        let start = *self.starts.get(at).ok_or_else(|| failed("there are fewer"))?;
        let mut line = Vec::new();
        let mut file = self.file.lock();
        // Going on where the last one ended keeps what is buffered.
        let ahead = start as i64 - file.stream_position().map_err(failed)? as i64;
        file.seek_relative(ahead).or_else(|_| file.seek(SeekFrom::Start(start)).map(drop)).map_err(failed)?;
        file.read_until(b'\n', &mut line).map_err(failed)?;
        serde_json::from_slice(&line).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_read_in_any_order_and_appear_only_whole() {
        let folder = std::env::temp_dir().join(format!("recipients-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("recipients.jsonl");
        let _ = std::fs::remove_file(&path);
        let made = |at: usize| Recipient {
            id: format!("user-{at}"),
            name: at.is_multiple_of(3).then(|| format!("Näme {at}")),
            state: if at == 7 { State::SkippedGuest } else { State::Queued },
            data: serde_json::json!({"n": at}),
            ..Recipient::default()
        };
        let mut writer = Writer::create(&path).unwrap();
        (0..500).for_each(|at| writer.push(&made(at)).unwrap());
        assert!(!path.exists());
        writer.finish().unwrap();
        let read = Recipients::open(&path).unwrap();
        assert_eq!(read.len(), 500);
        for at in [0, 1, 2, 499, 7, 250, 251, 3] {
            assert_eq!(read.get(at).unwrap(), made(at));
        }
        assert!(read.get(500).is_err());
    }
}
