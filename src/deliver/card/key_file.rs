//! The key that seals card data, kept beside the state with the rights of its owner only.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::seal::Key;
use teams_base::error::{Error, Result};

/// What it is called, beside the state of a bot.
pub const NAME: &str = "card_signing_key";
/// Less could be guessed.
const LEAST_BYTES: usize = 32;

fn failed(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("The signing key of cards {}: {why}", path.display()))
}

/// The key in a file.
pub fn read(path: &Path) -> Result<Key> {
    let secret = std::fs::read(path).map_err(|error| failed(path, format!("it cannot be read: {error}")))?;
    let length = secret.trim_ascii().len();
    if length < LEAST_BYTES {
        let why = format!(
            "it has {length} bytes, and less than {LEAST_BYTES} could be guessed; make one by `openssl rand -hex 32`"
        );
        return Err(failed(path, why));
    }
    Ok(Key::new(secret.trim_ascii()))
}

/// The same, made on first use.
pub fn read_or_make(path: &Path) -> Result<Key> {
    if path.exists() {
        return read(path);
    }
    let mut secret = [0; LEAST_BYTES];
    SystemRandom::new().fill(&mut secret).map_err(|_| failed(path, "no random numbers are to be had"))?;
    match write_new(path, &URL_SAFE_NO_PAD.encode(secret)) {
        // Another process has made one meanwhile.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        written => written.map_err(|error| failed(path, format!("it cannot be written: {error}")))?,
    }
    read(path)
}

/// Whole or not at all, and never over another one.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    let _ = std::fs::remove_file(&draft);
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = std::env::temp_dir().join(format!("card-key-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        let _ = std::fs::remove_file(&path);
        read_or_make(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        read_or_make(&path).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), first.len()), (first, 43));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
        std::fs::write(&path, "short\n").unwrap();
        assert!(read(&path).is_err_and(|error| error.to_string().contains("it has 5 bytes")));
    }
}
