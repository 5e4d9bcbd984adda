//! The refusal of a body by its reader.

/// A body that its reader cannot use, and why. It counts as a transient fault: some pages arrive cut short, and some are
/// an error page with status 200.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// serde's own text quotes the value that it could not read, and that may be part of a chat message.
impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let what = match error.classify() {
            Category::Eof => "the JSON ends too soon",
            Category::Syntax => "not JSON",
            Category::Data => "JSON of another shape",
            Category::Io => "unreadable",
        };
        Self(format!("{what} (line {}, column {})", error.line(), error.column()))
    }
}
