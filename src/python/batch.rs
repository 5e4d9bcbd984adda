//! Arrow data at the border: schemas and record batches through the Arrow PyCapsule interface.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, SchemaRef};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple};
use pyo3_arrow::ffi::{to_array_pycapsules, to_schema_pycapsule};

use teams_base::options::Timestamps;
use teams_tables::{Column, Projection, spark_struct};

#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Schema {
    schema: SchemaRef,
    spark: serde_json::Value,
}

impl Schema {
    pub fn new(projection: &Projection) -> Self {
        Self { schema: projection.schema(), spark: projection.spark() }
    }

    /// Of columns of our own, whose times are timestamps.
    pub fn own(schema: SchemaRef, columns: &'static [Column]) -> Self {
        Self { schema, spark: spark_struct(columns.iter(), Timestamps::Timestamp) }
    }
}

#[pymethods]
impl Schema {
    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The schema in Spark's JSON format.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.spark.to_string(),))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.schema.as_ref())?)
    }

    fn _repr_html_(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        slf.py().import("lakeflow_teams.results.html")?.call_method1("schema", (&slf,))
    }

    fn __repr__(&self) -> String {
        let columns = self.schema.fields().iter().map(|field| format!("  {}: {}", field.name(), field.data_type()));
        format!("Schema(\n{}\n)", columns.collect::<Vec<_>>().join("\n"))
    }
}

#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Batch {
    batch: RecordBatch,
    about: About,
}

/// What a batch's rows are.
enum About {
    Table(Arc<Projection>),
    /// Rows of our own, whose times are timestamps.
    Own(&'static str, &'static [Column]),
}

impl Batch {
    pub fn new(batch: RecordBatch, projection: Arc<Projection>) -> Self {
        Self { batch, about: About::Table(projection) }
    }

    pub fn own(batch: RecordBatch, name: &'static str, columns: &'static [Column]) -> Self {
        Self { batch, about: About::Own(name, columns) }
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.batch.get_array_memory_size()
    }

    #[getter]
    fn schema(&self) -> Schema {
        match &self.about {
            About::Table(projection) => Schema::new(projection),
            About::Own(_, columns) => Schema::own(self.batch.schema(), columns),
        }
    }

    /// The rows as dicts of plain Python values.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = StructArray::from(self.batch.clone());
        let items = (0..rows.len()).map(|row| struct_value(py, &rows, row)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, items)
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.batch.schema_ref().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let field = Arc::new(Field::new_struct("", self.batch.schema_ref().fields().clone(), false));
        let rows = StructArray::from(self.batch.clone());
        Ok(to_array_pycapsules(py, field, &rows, requested_schema)?)
    }

    fn __repr__(&self) -> String {
        let name = match &self.about {
            About::Table(projection) => projection.table.name,
            About::Own(name, _) => name,
        };
        format!("Batch({} rows of {name})", self.batch.num_rows())
    }
}

fn struct_value<'py>(py: Python<'py>, rows: &StructArray, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let item = PyDict::new(py);
    for (field, column) in rows.fields().iter().zip(rows.columns()) {
        item.set_item(field.name(), value(py, column.as_ref(), row)?)?;
    }
    Ok(item.into_any())
}

/// Microseconds since 1970 as an aware `datetime`.
fn datetime(py: Python<'_>, microseconds: i64) -> PyResult<Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let (epoch, delta) = EPOCH.get_or_try_init(py, || {
        let module = py.import("datetime")?;
        let utc = module.getattr("timezone")?.getattr("utc")?;
        let epoch = module.getattr("datetime")?.call_method1("fromtimestamp", (0, utc))?;
        PyResult::Ok((epoch.unbind(), module.getattr("timedelta")?.unbind()))
    })?;
    epoch.bind(py).add(delta.bind(py).call1((0, 0, microseconds))?)
}

fn value<'py>(py: Python<'py>, array: &dyn Array, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into_pyobject(py)?.into_any(),
        DataType::Boolean => array.as_boolean().value(row).into_pyobject(py)?.to_owned().into_any(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into_pyobject(py)?.into_any(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into_pyobject(py)?.into_any(),
        DataType::Timestamp(..) => datetime(py, array.as_primitive::<TimestampMicrosecondType>().value(row))?,
        DataType::Struct(_) => struct_value(py, array.as_struct(), row)?,
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| value(py, items.as_ref(), item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        other => return Err(PyTypeError::new_err(format!("no table has columns of type {other}"))),
    })
}
