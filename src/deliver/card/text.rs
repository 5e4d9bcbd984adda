//! Strings of a card: as they are, or with expressions in them.

use super::parse::parts;
use super::syntax::{Expression, Part};

/// A string of a card.
#[derive(Debug, Clone)]
pub enum Text {
    Plain(String),
    /// A single expression: its value keeps its type.
    Whole(Expression, String),
    Mixed(Vec<Part>),
}

impl Text {
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains("${") {
            return Ok(Self::Plain(text.to_owned()));
        }
        let mut parts = parts(text)?;
        if parts.len() == 1 {
            return Ok(match parts.remove(0) {
                Part::Plain(plain) => Self::Plain(plain),
                Part::Bound(expression, source) => Self::Whole(expression, source),
            });
        }
        Ok(if parts.is_empty() { Self::Plain(String::new()) } else { Self::Mixed(parts) })
    }
}
