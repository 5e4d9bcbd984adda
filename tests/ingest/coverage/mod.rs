//! The tables of one list per parent: every one against the tenant's truth, whole, paged, refused and gone.

mod compare;
mod costs;
mod doubles;
mod examples;
mod failures;
mod reports;
mod tables;
