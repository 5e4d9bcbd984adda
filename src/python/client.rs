//! The client as Python sees it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::batch::{Batch, Schema};
use super::credential::PythonCredential;
use super::error::to_py;
use super::runtime::wait;
use super::stream::{BatchStream, ManyStream, start, start_partition};
use teams_base::error::Result;
use teams_base::options::{ConnectionConfig, Strictness, parse_connection, parse_table};
use teams_base::timestamp;
use teams_client::auth::{self, Roles, TokenProvider};
use teams_ingest::{Doubts, LeftOut, Limits, Partition, Pass, Session};
use teams_tables::{Projection, find};

type Options = HashMap<String, String>;

#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Client {
    config: ConnectionConfig,
    credential: Option<Py<PyAny>>,
    strictness: Strictness,
    warnings: Vec<String>,
    /// The connection of this process: sockets and tasks do not survive a fork.
    session: Mutex<Option<(u32, Session)>>,
}

impl Client {
    fn session(&self, py: Python<'_>) -> PyResult<Session> {
        super::logs::refresh();
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((pid, session)) = &*slot
            && *pid == std::process::id()
        {
            return Ok(session.clone());
        }
        let session = self.connect(py).map_err(|error| to_py(&error))?;
        for warning in &self.warnings {
            session.report().warn(warning.clone());
        }
        *slot = Some((std::process::id(), session.clone()));
        Ok(session)
    }

    fn connect(&self, py: Python<'_>) -> Result<Session> {
        let own = self.credential.as_ref().map(|credential| {
            let provider = PythonCredential::new(credential.clone_ref(py), self.config.scope());
            Arc::new(provider) as Arc<dyn TokenProvider>
        });
        let _guard = super::runtime::runtime().enter();
        Session::new(&self.config, auth::provider(&self.config, &self.config.scope(), own)?)
    }

    fn pass(
        &self,
        session: Option<&Session>,
        tables: &[String],
        options: Options,
        columns: Option<Vec<String>>,
    ) -> PyResult<Pass> {
        let pass = || -> Result<Pass> {
            let (options, warnings) = parse_table(options, self.strictness)?;
            if let Some(session) = session {
                warnings.into_iter().for_each(|warning| session.report().warn(warning));
            }
            Pass::new(tables, options, columns)
        };
        pass().map_err(|error| to_py(&error))
    }
}

fn project(table: &str, options: Options, columns: Option<&[String]>, strictness: Strictness) -> PyResult<Schema> {
    let projection = || -> Result<Projection> {
        let (options, _) = parse_table(options, strictness)?;
        Projection::with(find(table)?, columns, options.extras())
    };
    Ok(Schema::new(&projection().map_err(|error| to_py(&error))?))
}

/// A table's schema, without a connection.
#[pyfunction]
#[pyo3(signature = (table, options, columns=None))]
pub fn schema(table: &str, options: Options, columns: Option<Vec<String>>) -> PyResult<Schema> {
    project(table, options, columns.as_deref(), Strictness::Strict)
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (options, *, credential=None, strict=true))]
    fn new(py: Python<'_>, options: Options, credential: Option<Py<PyAny>>, strict: bool) -> PyResult<Self> {
        let strictness = if strict { Strictness::Strict } else { Strictness::Lenient };
        let (config, warnings) = parse_connection(options, strictness).map_err(|error| to_py(&error))?;
        let client = Self { config, credential, strictness, warnings, session: Mutex::default() };
        // A wrong credential is told before anything is read.
        client.session(py)?;
        Ok(client)
    }

    /// Graph's clock as ISO 8601, once Graph has answered.
    #[getter]
    fn now(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.session(py)?.now().map(timestamp::to_text))
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    #[pyo3(signature = (table, options, columns=None))]
    fn schema(&self, table: &str, options: Options, columns: Option<Vec<String>>) -> PyResult<Schema> {
        project(table, options, columns.as_deref(), self.strictness)
    }

    /// Checks tables and options as a read would, without a request.
    fn validate(&self, tables: Vec<String>, options: Options) -> PyResult<()> {
        self.pass(None, &tables, options, None).map(drop)
    }

    fn scopes(&self, py: Python<'_>, table: String, options: Options) -> PyResult<Vec<String>> {
        let session = self.session(py)?;
        let pass = self.pass(None, &[table], options, None)?;
        wait(py, session.scopes(&pass))?.map_err(|error| to_py(&error))
    }

    #[pyo3(signature = (table, options, columns=None, scopes=None, *, keeps_doubtful=false, keeps_skipped=false))]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of its own in Python")]
    fn read(
        &self,
        py: Python<'_>,
        table: String,
        options: Options,
        columns: Option<Vec<String>>,
        scopes: Option<Vec<String>>,
        keeps_doubtful: bool,
        keeps_skipped: bool,
    ) -> PyResult<BatchStream> {
        let session = self.session(py)?;
        let doubts = Doubts::default();
        let noted = keeps_doubtful.then(|| doubts.clone());
        let left_out = keeps_skipped.then(LeftOut::default);
        let pass = self.pass(Some(&session), &[table], options, columns)?;
        let pass = Pass { scopes, doubts: noted, left_out: left_out.clone(), ..pass };
        let projection = pass.projections().map_err(|error| to_py(&error))?.remove(0);
        Ok(BatchStream::new(start(session, pass), projection).noting(doubts, left_out))
    }

    #[pyo3(signature = (table, options, offset, max_scopes=None, end=None))]
    fn plan(
        &self,
        py: Python<'_>,
        table: String,
        options: Options,
        offset: Option<String>,
        max_scopes: Option<usize>,
        end: Option<String>,
    ) -> PyResult<Plan> {
        let session = self.session(py)?;
        let pass = self.pass(Some(&session), &[table], options, None)?;
        let plan = wait(py, session.plan(&pass, offset.as_deref(), end.as_deref(), max_scopes))?;
        Ok(Plan(plan.map_err(|error| to_py(&error))?))
    }

    #[pyo3(signature = (table, options, partition, columns=None, *, deletes=false))]
    fn read_partition(
        &self,
        py: Python<'_>,
        table: String,
        options: Options,
        partition: &str,
        columns: Option<Vec<String>>,
        deletes: bool,
    ) -> PyResult<BatchStream> {
        let session = self.session(py)?;
        let pass = self.pass(Some(&session), &[table], options, columns)?;
        let partition = Partition::parse(partition).map_err(|error| to_py(&error))?;
        let projection = if deletes {
            Projection::keys_and_cursor(pass.tables[0], pass.options.timestamps)
        } else {
            pass.projections().map_err(|error| to_py(&error))?.remove(0)
        };
        Ok(BatchStream::new(start_partition(session, pass, partition, deletes), projection))
    }

    fn read_many(&self, py: Python<'_>, tables: Vec<String>, options: Options) -> PyResult<ManyStream> {
        let session = self.session(py)?;
        let pass = self.pass(Some(&session), &tables, options, None)?;
        let projections = pass.projections().map_err(|error| to_py(&error))?;
        Ok(ManyStream::new(start(session, pass.clone()), pass, projections))
    }

    /// One step of an incremental read. The caps hold where the options give none.
    #[pyo3(signature = (tables, options, offset, *, max_rows=None, max_pages=None))]
    fn micro_batch(
        &self,
        py: Python<'_>,
        tables: Vec<String>,
        options: Options,
        offset: Option<String>,
        max_rows: Option<usize>,
        max_pages: Option<usize>,
    ) -> PyResult<MicroBatch> {
        let session = self.session(py)?;
        let pass = self.pass(Some(&session), &tables, options, None)?;
        let projections: Vec<_> =
            pass.projections().map_err(|error| to_py(&error))?.into_iter().map(Arc::new).collect();
        let limits = Limits { max_rows, max_pages };
        let batch = wait(py, session.micro_batch(&pass, offset.as_deref(), limits))?.map_err(|error| to_py(&error))?;
        Ok(MicroBatch { batch, projections })
    }

    /// The application permissions that the token holds, which is asked for where there is none yet.
    fn roles(&self, py: Python<'_>) -> PyResult<Option<Vec<String>>> {
        let session = self.session(py)?;
        let roles = wait(py, session.client().roles())?.map_err(|error| to_py(&error))?;
        Ok(match roles {
            Roles::Granted(roles) => Some(roles.into_iter().collect()),
            Roles::Unknown => None,
        })
    }

    /// What a read of these tables would meet, as JSON text; each with its options.
    fn check(&self, py: Python<'_>, tables: Vec<(String, Options)>) -> PyResult<String> {
        super::preflight::check(py, &self.session(py)?, tables, self.strictness)
    }

    /// The counts that the costs of these tables depend on, from a few requests, as JSON text.
    fn sample(&self, py: Python<'_>, tables: Vec<(String, Options)>) -> PyResult<String> {
        super::preflight::sample(py, &self.session(py)?, tables, self.strictness)
    }

    /// Requests, retries, throttled seconds, bytes, rows and skipped scopes, as JSON text.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        let snapshot = self.session(py)?.report().snapshot();
        Ok(serde_json::to_string(&snapshot).unwrap_or_default())
    }

    /// What became of each scope, as a JSON list.
    fn report_scopes(&self, py: Python<'_>) -> PyResult<String> {
        let scopes = self.session(py)?.report().scopes.snapshot();
        Ok(serde_json::to_string(&scopes).unwrap_or_default())
    }

    fn __repr__(&self) -> String {
        format!("Client(graph={})", self.config.graph)
    }
}

/// A micro-batch that has been fixed, but not read.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Plan(teams_ingest::Plan);

#[pymethods]
impl Plan {
    #[getter]
    fn offset(&self) -> &str {
        &self.0.offset
    }

    #[getter]
    fn partitions(&self) -> Vec<String> {
        self.0.partitions.clone()
    }

    fn __repr__(&self) -> String {
        format!("Plan({} partitions)", self.0.partitions.len())
    }
}

/// What one step of an incremental read brought.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct MicroBatch {
    batch: teams_ingest::MicroBatch,
    projections: Vec<Arc<Projection>>,
}

impl MicroBatch {
    fn grouped(
        &self,
        batches: &[(&'static str, arrow_array::RecordBatch)],
        deletes: bool,
    ) -> HashMap<&'static str, Vec<Batch>> {
        let mut tables: HashMap<_, Vec<_>> = HashMap::new();
        for projection in &self.projections {
            let name = projection.table.name;
            let shape = if deletes {
                Arc::new(Projection::keys_and_cursor(projection.table, projection.timestamps))
            } else {
                Arc::clone(projection)
            };
            let own = batches.iter().filter(|(table, _)| *table == name);
            tables.insert(name, own.map(|(_, batch)| Batch::new(batch.clone(), Arc::clone(&shape))).collect());
        }
        tables
    }
}

#[pymethods]
impl MicroBatch {
    #[getter]
    fn tables(&self) -> HashMap<&'static str, Vec<Batch>> {
        self.grouped(&self.batch.rows, false)
    }

    #[getter]
    fn deletes(&self) -> HashMap<&'static str, Vec<Batch>> {
        self.grouped(&self.batch.deletes, true)
    }

    #[getter]
    fn offset(&self) -> &str {
        &self.batch.offset
    }

    #[getter]
    fn finished(&self) -> bool {
        self.batch.finished
    }

    #[getter]
    fn full_since(&self) -> Option<String> {
        self.batch.full_since.map(timestamp::to_text)
    }

    #[getter]
    fn share(&self) -> Option<f64> {
        self.batch.share
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.rows.iter().map(|(_, batch)| batch.num_rows()).sum()
    }

    fn __repr__(&self) -> String {
        format!("MicroBatch({} rows, finished={})", self.num_rows(), self.batch.finished)
    }
}
