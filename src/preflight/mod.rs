//! What can be known before anything is read: whether a read would be allowed, and what it would cost.

mod check;
mod cost;
mod pace;
mod probe;
mod sample;
mod tenant;

use crate::client::endpoint::{self, Endpoint};
use crate::tables::{Reading, TABLES};

/// The endpoint of a path template; tables that are lists declare their own.
fn endpoint_of(template: &str) -> Option<&'static Endpoint> {
    let declared = || {
        TABLES.iter().find_map(|table| match table.reading {
            Reading::List(list) if list.endpoint.template == template => Some(list.endpoint),
            _ => None,
        })
    };
    endpoint::find(template).or_else(declared)
}

pub use check::{Check, Status, TableCheck, check};
pub use cost::{Case, Part, Run, cost};
pub use pace::{Pace, Rates, pace, rates};
pub use sample::{Sample, sample};
pub use tenant::{COUNTS, Tenant};
