//! Change notifications as Python sees them. Settings and reports cross as JSON text, rows as Arrow.
//!
//! [`listener`] receives and keeps; [`decoder`] decodes what comes by any other way, into [`notifications`]; [`folder`] looks at what
//! lies on disk; [`values`]: what is given.

mod decoder;
mod folder;
mod listener;
mod notifications;
mod values;

use pyo3::prelude::*;

use decoder::NotificationDecoder;
use listener::Listener;
use notifications::Notifications;

/// What the module offers of this.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Listener>()?;
    module.add_class::<NotificationDecoder>()?;
    module.add_class::<Notifications>()?;
    module.add_function(wrap_pyfunction!(folder::plan_subscriptions, module)?)?;
    module.add_function(wrap_pyfunction!(folder::listen_status, module)?)?;
    module.add_function(wrap_pyfunction!(folder::rotate_listen_key, module)?)?;
    Ok(())
}
