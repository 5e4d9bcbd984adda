//! What can be known before anything is read: whether a read would be allowed, and what it would cost.
//!
//! Uses `messages::strategy`, `error_policy`, `page_sizes` and the requests of `tables`. It reads no rows and keeps no state.

mod check;
mod cost;
mod cost_lists;
mod pace;
mod probe;
mod sample;
mod tenant;

use teams_base::graph::endpoint::{self, Endpoint};
use teams_tables::{Reading, TABLES, Table};

/// The endpoint of a path template that a table is read by. Lists declare their own, and two tables of one path may need
/// different permissions.
fn endpoint_of(table: &Table, template: &str) -> Option<&'static Endpoint> {
    let of = |table: &Table| match table.reading {
        Reading::List(list) => Some(list.endpoint),
        Reading::Report(report) => Some(report.endpoint),
        _ => None,
    };
    let own = |table: &Table| of(table).filter(|endpoint| endpoint.template == template);
    own(table).or_else(|| endpoint::find(template)).or_else(|| TABLES.iter().find_map(|other| own(other)))
}

pub use check::{Check, Status, TableCheck, check};
pub use cost::{Case, Part, Run, cost, needed_counts};
pub use pace::{Pace, Rates, pace, rates};
pub use sample::{Sample, sample};
pub use tenant::{COUNTS, Tenant};
