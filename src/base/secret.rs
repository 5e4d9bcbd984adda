//! Text that must never be shown, and where it comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A secret. It is wiped when dropped, and prints as `***` however it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A server's answer without the secret, which it may quote. To be called before anything else shortens the text, or a
    /// part of the secret would remain.
    pub fn cut_out(&self, body: &[u8]) -> Vec<u8> {
        if self.0.is_empty() {
            return body.to_vec();
        }
        String::from_utf8_lossy(body).replace(self.0.as_str(), "***").into_bytes()
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a secret is found. All but a plain value are read at each use, so that a rotated secret is picked up by a running process.
#[derive(Debug, Clone)]
pub enum SecretSource {
    Value(Secret),
    Environment(String),
    File(PathBuf),
}

impl SecretSource {
    pub fn resolve(&self) -> Result<Secret> {
        let (found, place) = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::Environment(name) => (
                std::env::var(name).map_err(|_| "is not set, or is not text".to_owned()),
                if is_name(name) { format!("Environment variable {name}") } else { MISPLACED.to_owned() },
            ),
            Self::File(path) => (
                std::fs::read_to_string(path).map_err(|error| format!("cannot be read ({})", error.kind())),
                if is_path(path) { format!("File {}", path.display()) } else { "The secret's file".to_owned() },
            ),
        };
        let text = Zeroizing::new(
            found.map_err(|why| Error::Configuration(format!("{place} {why}: it must hold the secret")))?,
        );
        // Editors and `echo` end a file with a line break that is no part of the secret.
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(Error::Configuration(format!("{place} is empty: it must hold the secret"))),
            text => Ok(Secret::new(text)),
        }
    }
}

/// What a place's own text is called when it may be the secret itself, put where the name of its place belongs.
const MISPLACED: &str = "The secret's environment variable (its name is letters, digits and underscores)";

fn is_name(text: &str) -> bool {
    text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_path(path: &Path) -> bool {
    path.is_absolute() || path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_stars() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)), "*** *** Some(\n    ***,\n)");
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_shown() {
        for source in [SecretSource::Environment("marked~secret".into()), SecretSource::File("marked~secret".into())] {
            let text = source.resolve().unwrap_err().to_string();
            assert!(!text.contains("marked") && text.contains("must hold the secret"), "{text}");
        }
        let text = SecretSource::Environment("NOWHERE_SET".into()).resolve().unwrap_err().to_string();
        assert!(text.contains("NOWHERE_SET is not set"), "{text}");
    }

    #[test]
    fn a_file_is_read_anew_at_each_use() {
        let path = std::env::temp_dir().join(format!("secret-{}", uuid::Uuid::new_v4()));
        let source = SecretSource::File(path.clone());
        assert!(source.resolve().unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&path, "one\r\n").unwrap();
        assert_eq!(source.resolve().unwrap().expose(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(source.resolve().unwrap().expose(), "two");
        std::fs::remove_file(path).unwrap();
    }
}
