//! Faults on demand: rules, which requests they affect, and what they do to a response.

pub mod effect;
pub mod injector;
pub mod rule;
pub mod tails;
