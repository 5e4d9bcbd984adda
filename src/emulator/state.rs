//! What all connections share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use rand::rngs::StdRng;

use super::clock::Clock;
use super::config::{EmulatorConfig, Knobs};
use super::entra::Tokens;
use super::faults::Faults;
use super::log::RequestLog;
use super::tenant::Tenant;
use super::throttle::Throttle;
use super::wire::Gzip;

pub struct Shared {
    pub config: EmulatorConfig,
    pub clock: Clock,
    pub started: Instant,
    pub tenant: RwLock<Tenant>,
    /// Replaced as a whole, so that a request sees one state of them.
    pub switches: RwLock<Arc<Knobs>>,
    pub tokens: Mutex<Tokens>,
    pub faults: Mutex<Faults>,
    pub throttle: Mutex<Throttle>,
    pub log: Mutex<RequestLog>,
    pub gzip: Mutex<Gzip>,
    pub random: Mutex<StdRng>,
    pub connections: AtomicU64,
}

impl Shared {
    pub fn knobs(&self) -> Arc<Knobs> {
        self.switches.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn rng(&self) -> MutexGuard<'_, StdRng> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
