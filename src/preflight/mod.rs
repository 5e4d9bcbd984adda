//! What can be known before anything is read: whether a read would be allowed, and what it would cost.

mod check;
mod cost;
mod pace;
mod probe;
mod sample;
mod tenant;

pub use check::{Check, Status, TableCheck, check};
pub use cost::{Case, Part, Run, cost};
pub use pace::{Pace, Rates, pace, rates};
pub use sample::{Sample, sample};
pub use tenant::{COUNTS, Tenant};
