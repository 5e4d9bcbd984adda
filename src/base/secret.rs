//! Text that must never be shown, and where it comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::text;

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
    File {
        /// Which option names the file.
        option: &'static str,
        path: PathBuf,
    },
}

impl SecretSource {
    /// The secret as it is sent. Nothing that Entra ID issues has more than one line.
    pub fn resolve(&self) -> Result<Secret> {
        let place = self.place();
        let refuse = |why: &str| Error::Configuration(format!("{place} {why}: it must hold the secret"));
        let text = match self {
            Self::Value(secret) => secret.0.clone(),
            Self::Environment(name) => {
                Zeroizing::new(std::env::var(name).map_err(|_| refuse("is not set, or is not text"))?)
            }
            Self::File { path, .. } => {
                let bytes =
                    std::fs::read(path).map_err(|error| refuse(&format!("cannot be read ({})", error.kind())))?;
                let bytes = Zeroizing::new(bytes);
                let decoded = text::decode(&bytes)
                    .map_err(|why| Error::Configuration(format!("{place} cannot be read, because {why}")))?;
                Zeroizing::new(decoded.to_owned())
            }
        };
        match text::value(&text) {
            "" => Err(refuse("is empty")),
            lines if lines.contains(['\r', '\n']) => Err(refuse("holds several lines")),
            text => Ok(Secret::new(text)),
        }
    }

    /// What errors call it.
    fn place(&self) -> String {
        match self {
            Self::Value(_) => "The secret".to_owned(),
            Self::Environment(name) if is_name(name) => format!("Environment variable {name}"),
            Self::Environment(_) => MISPLACED.to_owned(),
            Self::File { option, path } if is_path(path) => format!("Option {option}: file {}", path.display()),
            Self::File { option, .. } => format!("Option {option}: the file"),
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
        let file = SecretSource::File { option: "client_secret_file", path: "marked~secret".into() };
        for source in [SecretSource::Environment("marked~secret".into()), file] {
            let text = source.resolve().unwrap_err().to_string();
            assert!(!text.contains("marked") && text.contains("must hold the secret"), "{text}");
        }
        let text = SecretSource::Environment("NOWHERE_SET".into()).resolve().unwrap_err().to_string();
        assert!(text.contains("NOWHERE_SET is not set"), "{text}");
    }

    #[test]
    fn a_file_is_read_anew_at_each_use() {
        let path = std::env::temp_dir().join(format!("secret-{}", uuid::Uuid::new_v4()));
        let source = SecretSource::File { option: "client_secret_file", path: path.clone() };
        assert!(source.resolve().unwrap_err().to_string().contains("cannot be read"));
        for (bytes, secret) in [(&b"one\r\n"[..], "one"), (b"two", "two"), (b"\xef\xbb\xbfthree\n\n", "three")] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(source.resolve().unwrap().expose(), secret);
        }
        let wide: Vec<u8> = "\u{feff}marked\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, why) in [(&wide[..], "Save it as UTF-8"), (b"marked\r\nmore", "several lines"), (b"\n", "is empty")]
        {
            std::fs::write(&path, bytes).unwrap();
            let text = source.resolve().unwrap_err().to_string();
            assert!(text.starts_with("Option client_secret_file: file /") && text.contains(why), "{text}");
            assert!(!text.contains("marked"), "{text}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn line_breaks_behind_a_value_are_not_sent() {
        assert_eq!(SecretSource::Value(Secret::new("hush \r\n")).resolve().unwrap().expose(), "hush ");
    }
}
