//! The tenant: what is in it, how it behaves, its clock, and what a reader can see of it. Depends on no other folder.

pub mod bot;
pub mod clock;
pub mod config;
pub mod ids;
pub mod knob_names;
pub mod knobs;
pub mod model;
pub mod push;
pub mod unset_time;
pub mod visibility;
