//! Microsoft Teams in the lakehouse: Microsoft Graph to Arrow.
//!
//! The rooms, in the order data flows: [`config`], [`auth`], [`client`], [`decode`], [`tables`], [`sync`],
//! [`preflight`], [`py`].
//! The [`emulator`] stands beside them and uses none of them.

pub mod auth;
pub mod client;
pub mod config;
pub mod decode;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
pub mod preflight;
mod py;
pub mod sync;
pub mod tables;

/// `lakeflow_teams._core`
#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::py::logs::install(module.py())?;
        crate::py::register(module)
    }
}
