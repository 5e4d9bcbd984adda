//! When a request may leave: nested budgets by Graph's documented limits, slower for a while where the server refuses.
//! Knows requests and their endpoints, but no answers and no connections.

mod aimd;
mod budget;
mod gcra;
mod limiter;
mod windows;

pub use limiter::Limiter;
