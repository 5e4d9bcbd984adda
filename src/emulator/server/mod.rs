//! Serves a tenant over HTTP: connections, what happens to a request, the log. Uses every other folder.

pub mod body;
pub mod connection;
pub mod control;
pub mod graph;
pub mod gzip;
pub mod live;
pub mod log;
pub mod notify;
pub mod respond;
pub mod serve;
pub mod state;
pub mod tell;
pub mod turns;
