//! A decoder for values that come by any way: from a hub, through Spark, out of a file.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatch;

use super::notifications::Notifications;
use super::values::{Certificate, Tables, Value, arrivals, seconds, wanted};
use crate::batch::Schema;
use crate::error::to_py;
use teams_base::error::Result;
use teams_base::secret::Secret;
use teams_listen::listener;
use teams_listen::notify::decode::{Decoder, Gate, Received, changes, kept};
use teams_listen::notify::keys::KeyRing;
use teams_tables::Projection;

/// Decodes values that come by any way.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct NotificationDecoder {
    decoder: Decoder,
    keys: KeyRing,
    states: Vec<Secret>,
}

impl NotificationDecoder {
    fn decode_items(&self, values: &[(&[u8], Timestamp)]) -> Notifications {
        let items: Vec<_> = values.iter().flat_map(|(value, arrived)| Received::of_value(value, *arrived)).collect();
        let decoded = self.decoder.decode(&items, &self.keys, Gate::States(&self.states));
        let oversized_tables = vec![Vec::new(); decoded.oversized.len()];
        let kept = decoded.problems(&items);
        Notifications { inner: listener::Notifications { decoded, position: None, kept, oversized_tables } }
    }

    fn projection(&self, table: &str) -> PyResult<&Projection> {
        let mut projections = self.decoder.projections();
        projections
            .find(|projection| projection.table.name == table)
            .ok_or_else(|| PyKeyError::new_err(table.to_owned()))
    }
}

#[pymethods]
impl NotificationDecoder {
    #[new]
    #[pyo3(signature = (tables, certificates, *, password=None, client_states=None))]
    fn new(
        tables: Tables,
        certificates: Vec<Certificate>,
        password: Option<String>,
        client_states: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let password = password.map(Secret::new);
        let make = || -> Result<Self> {
            let keys = certificates.iter().map(|one| one.read(password.as_ref())).collect::<Result<Vec<_>>>()?;
            Ok(Self {
                decoder: Decoder::new(&wanted(tables)?)?,
                keys: KeyRing::given(keys),
                states: client_states.unwrap_or_default().into_iter().map(Secret::new).collect(),
            })
        };
        make().map_err(|error| to_py(&error))
    }

    fn schema(&self, table: &str) -> PyResult<Schema> {
        Ok(Schema::new(self.projection(table)?))
    }

    #[staticmethod]
    fn changes_schema() -> Schema {
        Schema::own(changes::schema(), changes::COLUMNS)
    }

    #[staticmethod]
    fn received_schema() -> Schema {
        Schema::own(kept::empty().schema(), kept::COLUMNS)
    }

    #[pyo3(signature = (values, arrived_at=None))]
    fn decode(
        &self,
        py: Python<'_>,
        values: Vec<Value>,
        arrived_at: Option<Vec<Option<Bound<'_, PyAny>>>>,
    ) -> PyResult<Notifications> {
        let arrived = arrivals(values.len(), seconds(arrived_at)?, Timestamp::now())?;
        let values: Vec<_> = values.iter().map(Value::as_bytes).zip(arrived).collect();
        Ok(py.detach(|| self.decode_items(&values)))
    }

    #[pyo3(
        signature = (batch, value="value", timestamp=Some("timestamp")),
        text_signature = "($self, batch, value='value', timestamp='timestamp')"
    )]
    fn decode_batch(
        &self,
        py: Python<'_>,
        batch: PyRecordBatch,
        value: &str,
        timestamp: Option<&str>,
    ) -> PyResult<Notifications> {
        let batch = batch.into_inner();
        let values = values_of(&batch, value)?;
        let arrived = times_of(&batch, timestamp)?;
        let values: Vec<_> = values.into_iter().zip(arrived).collect();
        Ok(py.detach(|| self.decode_items(&values)))
    }
}

/// A binary or text column; null is an empty value.
fn values_of<'b>(batch: &'b RecordBatch, name: &str) -> PyResult<Vec<&'b [u8]>> {
    let column = batch.column_by_name(name).ok_or_else(|| {
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(", ");
        PyKeyError::new_err(format!("the batch has no column '{name}': it has {names}"))
    })?;
    Ok(match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().iter().map(Option::unwrap_or_default).collect(),
        DataType::LargeBinary => column.as_binary::<i64>().iter().map(Option::unwrap_or_default).collect(),
        DataType::Utf8 => column.as_string::<i32>().iter().map(|text| text.unwrap_or_default().as_bytes()).collect(),
        DataType::LargeUtf8 => {
            column.as_string::<i64>().iter().map(|text| text.unwrap_or_default().as_bytes()).collect()
        }
        other => return Err(PyTypeError::new_err(format!("column '{name}' must be binary or text, and is {other}"))),
    })
}

/// A column of timestamps in microseconds; now, where there is none.
fn times_of(batch: &RecordBatch, name: Option<&str>) -> PyResult<Vec<Timestamp>> {
    let now = Timestamp::now();
    let Some((name, column)) = name.and_then(|name| Some((name, batch.column_by_name(name)?))) else {
        return Ok(vec![now; batch.num_rows()]);
    };
    if !matches!(column.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)) {
        let kind = column.data_type();
        return Err(PyTypeError::new_err(format!("column '{name}' must be timestamps in microseconds, and is {kind}")));
    }
    let times = column.as_primitive::<TimestampMicrosecondType>();
    Ok(times.iter().map(|time| time.and_then(|time| Timestamp::from_microsecond(time).ok()).unwrap_or(now)).collect())
}
