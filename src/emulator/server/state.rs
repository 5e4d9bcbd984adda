//! What all connections share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Notify;

use crate::faults::injector::Injector;
use crate::graph::connector::CONNECTOR;
use crate::graph::endpoint::Endpoint;
use crate::graph::router::Router;
use crate::graph::throttle::Throttle;
use crate::http::request::Request;
use crate::login::tokens::Tokens;
use crate::push::outbox::Outbox;
use crate::server::gzip::Gzip;
use crate::server::log::{RequestLog, RequestLogEntry};
use crate::server::tell::Told;
use crate::server::turns::Turns;
use crate::tenant::clock::Clock;
use crate::tenant::config::EmulatorConfig;
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;

pub struct Shared {
    pub config: EmulatorConfig,
    pub clock: Clock,
    pub started: Instant,
    pub router: Router,
    /// The same for the Bot Connector's endpoints.
    pub connector: Router,
    pub turns: Turns,
    pub tenant: RwLock<Tenant>,
    /// Replaced as a whole, so that a request sees one state of them.
    pub switches: RwLock<Arc<Knobs>>,
    pub tokens: Mutex<Tokens>,
    pub faults: Mutex<Injector>,
    pub throttle: Mutex<Throttle>,
    pub log: Mutex<RequestLog>,
    pub outbox: Mutex<Outbox>,
    /// Rung when something may be due in the outbox.
    pub due: Notify,
    pub gzip: Mutex<Gzip>,
    pub random: Mutex<StdRng>,
    pub connections: AtomicU64,
    /// What the bot was told, and answered.
    pub told: Mutex<Vec<Told>>,
    /// How often the tenant was changed, so that each change chooses anew.
    pub mutations: AtomicU64,
}

impl Shared {
    /// The state of a tenant before the first request.
    pub fn new(config: EmulatorConfig, mut tenant: Tenant, endpoints: &'static [Endpoint]) -> Self {
        tenant.bot.app.clone_from(&config.client_id);
        Self {
            clock: Clock::new(config.start, config.frozen_clock),
            started: Instant::now(),
            router: Router::new(endpoints),
            connector: Router::new(CONNECTOR),
            turns: Turns::default(),
            tenant: RwLock::new(tenant),
            switches: RwLock::new(Arc::new(config.knobs.clone())),
            tokens: Mutex::default(),
            faults: Mutex::default(),
            throttle: Mutex::new(Throttle::default()),
            log: Mutex::default(),
            outbox: Mutex::new(Outbox::new(config.seed)),
            due: Notify::new(),
            gzip: Mutex::default(),
            random: Mutex::new(StdRng::seed_from_u64(config.seed ^ 0x5eed)),
            connections: AtomicU64::new(0),
            told: Mutex::default(),
            mutations: AtomicU64::new(0),
            config,
        }
    }

    pub fn knobs(&self) -> Arc<Knobs> {
        self.switches.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn rng(&self) -> MutexGuard<'_, StdRng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request and its response in the log; `name` is that of its endpoint.
    pub fn record(&self, request: &Request, name: &str, status: u16, retry_after: Option<&str>) {
        let entry = RequestLogEntry {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.raw_query.clone(),
            template: name.to_owned(),
            status,
            at_ms: self.started.elapsed().as_millis() as u64,
            connection: request.connection,
            batched: request.batched,
            retry_after: retry_after.map(str::to_owned),
            client_request_id: request.client_request_id.clone(),
            prefer: request.prefer.clone(),
            user_agent: request.user_agent.clone(),
        };
        self.log.lock().unwrap_or_else(PoisonError::into_inner).add(entry);
    }
}
