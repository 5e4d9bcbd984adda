//! What a run did: requests, waits, rows and skipped scopes, counted while it runs. Uses nothing else of this crate.

mod report;
mod scopes;

pub use report::{EndpointCounts, Report, Skipped, Snapshot};
pub use scopes::{ScopeCounts, Scopes, Status};
