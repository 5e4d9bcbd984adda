//! What a whole and correct reader would hold: every row as Graph would give it now, with the keys that readers derive.

pub mod json;
pub mod lists;
pub mod tables;

use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;

/// The rows of a table as JSON texts, or `None` if there is no such table.
pub fn rows(tenant: &Tenant, knobs: &Knobs, now_ms: i64, table: &str) -> Option<Vec<String>> {
    tables::rows(tenant, knobs, now_ms, table).or_else(|| lists::of(tenant, knobs, now_ms, table))
}
