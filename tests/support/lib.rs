//! What several test programs share.

pub mod fifo;
pub mod fuzz;
