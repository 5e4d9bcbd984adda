//! Times that Graph does not know.

use serde::{Deserialize, Serialize};

/// How a time that Graph does not know is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsetTime {
    Null,
    YearOne,
    Epoch,
}

impl UnsetTime {
    pub fn text(self) -> Option<&'static str> {
        match self {
            Self::Null => None,
            Self::YearOne => Some("0001-01-01T00:00:00Z"),
            Self::Epoch => Some("1970-01-01T00:00:00Z"),
        }
    }
}
