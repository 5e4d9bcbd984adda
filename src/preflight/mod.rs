//! What can be known before anything is read: whether a read would be allowed, and what it would cost.

mod check;
mod probe;

pub use check::{Check, Status, TableCheck, check};
