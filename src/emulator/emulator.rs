//! The running tenant, as tests and demos hold it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::bot::people::{Act, Said};
use crate::faults::rule::FaultRule;
use crate::generate::from_seed;
use crate::graph::endpoints::ENDPOINTS;
use crate::mutate::mutation::{Mutation, MutationSummary, Touched};
use crate::mutate::post::Post;
use crate::mutate::tamper::{Tamper, tamper};
use crate::push::endpoints::held;
use crate::push::outbox::Notice;
use crate::server::log::RequestLogEntry;
use crate::server::serve::accept;
use crate::server::state::Shared;
use crate::server::tell::{Told, tell};
use crate::server::{control, live, notify};
use crate::tenant::bot::Delivery;
use crate::tenant::clock::stamp;
use crate::tenant::config::EmulatorConfig;
use crate::tenant::knobs::Knobs;
use crate::tenant::{knob_names, visibility};
use crate::truth;

/// A running tenant. It stops when it is dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Emulator {
    /// Generates the tenant and serves it from threads of its own.
    pub fn start(config: EmulatorConfig) -> std::io::Result<Self> {
        let mut config = config.identified();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        config.port = address.port();
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.threads.max(1))
            .thread_name("graph-emulator")
            .enable_all()
            .build()?;
        let tenant = from_seed::tenant(&config);
        let shared = Arc::new(Shared::new(config, tenant, ENDPOINTS));
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        runtime.spawn(accept(listener, shared.clone()));
        runtime.spawn(notify::run(shared.clone()));
        if shared.config.live {
            let every = Duration::from_secs_f64(shared.config.live_seconds.clamp(0.01, 86_400.0));
            runtime.spawn(live::run(Arc::downgrade(&shared), every));
        }
        Ok(Self { shared, runtime: Some(runtime), address })
    }

    /// `http://127.0.0.1:port`: both the authority host and the Graph base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn tenant_id(&self) -> &str {
        &self.shared.config.tenant_id
    }

    pub fn client_id(&self) -> &str {
        &self.shared.config.client_id
    }

    pub fn client_secret(&self) -> &str {
        &self.shared.config.client_secret
    }

    pub fn stop(self) {
        drop(self);
    }

    pub fn now(&self) -> Timestamp {
        stamp(self.shared.clock.now_ms())
    }

    pub fn advance(&self, seconds: i64) {
        self.shared.clock.advance_ms(seconds.saturating_mul(1000));
        self.shared.due.notify_one();
    }

    /// Changes the tenant. All changes are dated between the clock's time before (plus `advance_seconds`) and after.
    pub fn mutate(&self, mutation: &Mutation) -> MutationSummary {
        control::mutate(&self.shared, mutation)
    }

    /// Writes one message of a given text; the text of an error names what is not there.
    pub fn post(&self, post: &Post) -> Result<Touched, String> {
        control::post(&self.shared, post)
    }

    /// Changes one message in a way that no request can; says why it cannot.
    pub fn tamper(&self, asked: &Tamper) -> Result<(), String> {
        let bubble = self.shared.knobs().bubble_edits;
        tamper(&mut self.shared.tenant.write().unwrap_or_else(PoisonError::into_inner), asked, bubble)
    }

    /// Lets a person act, and gives what Teams sends the bot of it; the text of an error names what is not there.
    pub fn act(&self, act: &Act) -> Result<Vec<Said>, String> {
        control::act(&self.shared, &self.url(), act)
    }

    /// The same, and sends it to the bot at `http://host:port/path`; waits for its answers.
    pub fn tell(&self, url: &str, act: &Act) -> Result<Vec<Told>, String> {
        let url = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
        let resend_ms = (self.shared.knobs().resend_seconds.clamp(0.01, 3_600.0) * 1_000.0) as i64;
        let runtime = self.runtime.as_ref().ok_or("the emulator is stopped")?;
        let said = self.act(act)?;
        let times = act.times.unwrap_or(1);
        let shared = Arc::clone(&self.shared);
        let (answers, told) = std::sync::mpsc::channel();
        // One after the other, as they come from one person. The caller may be inside another runtime.
        runtime.spawn(async move {
            for said in said {
                let told = tell(&url, said, &shared.clock, resend_ms, times).await;
                control::answered(&shared, &told);
                let _ = answers.send(told);
            }
        });
        Ok(told.iter().collect())
    }

    /// Everything that the bot was told by [`Self::tell`], with what it answered, in order.
    pub fn told(&self) -> Vec<Told> {
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that the bot did, in order: sent, replaced, deleted.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.tenant.read().unwrap_or_else(PoisonError::into_inner).bot.ledger.clone()
    }

    /// The subscriptions that live, with their states.
    pub fn subscriptions(&self) -> Vec<Value> {
        let now_ms = self.shared.clock.now_ms();
        let tenant = self.shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
        tenant.subscriptions.live(now_ms).map(held).collect()
    }

    /// Takes subscriptions away, one or all; no event tells of it. Returns how many.
    pub fn remove_subscriptions(&self, id: Option<&str>) -> usize {
        let now_ms = self.shared.clock.now_ms();
        let mut tenant = self.shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
        let live = tenant.subscriptions.live(now_ms).map(|found| found.id.clone());
        let ids: Vec<String> = live.filter(|found| id.is_none_or(|id| id == found)).collect();
        ids.iter().filter_map(|id| tenant.subscriptions.remove(id)).count()
    }

    /// Everything that subscribers were told of, in order, and what became of it.
    pub fn notices(&self) -> Vec<Notice> {
        self.shared.outbox().notices().to_vec()
    }

    /// The values that an Event Hub got since they were last taken.
    pub fn hub_values(&self, hub: &str) -> Vec<String> {
        self.shared.outbox().take_hub(hub)
    }

    /// Tells of subscriptions, one or all, by an event such as `reauthorizationRequired`; returns how many.
    pub fn lifecycle(&self, event: &str, id: Option<&str>) -> usize {
        notify::lifecycle(&self.shared, event, id)
    }

    pub fn fault(&self, rule: FaultRule) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).add(rule);
    }

    pub fn clear_faults(&self) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Every row of a table as a whole and correct reader would hold it now, as JSON texts; `None` for an unknown table.
    pub fn truth_texts(&self, table: &str) -> Option<Vec<String>> {
        let knobs = self.shared.knobs();
        let tenant = self.shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.shared.clock.now_ms();
        truth::rows(&tenant, &knobs, now_ms, table)
    }

    /// The same as values; panics on an unknown table.
    pub fn truth(&self, table: &str) -> Vec<Value> {
        let rows = self.truth_texts(table).unwrap_or_else(|| panic!("no such table: {table}"));
        rows.iter().map(|row| serde_json::from_str(row).unwrap_or_default()).collect()
    }

    /// The files that were uploaded: drive and path, and their bytes.
    pub fn files(&self) -> Vec<(String, String, Bytes)> {
        let tenant = self.shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
        tenant.files.iter().map(|((drive, path), bytes)| (drive.clone(), path.clone(), bytes.clone())).collect()
    }

    /// Teams that are listed as groups and answer 403 or 404.
    pub fn unreadable_teams(&self) -> Vec<String> {
        let knobs = self.shared.knobs();
        visibility::unreadable_teams(&self.shared.tenant.read().unwrap_or_else(PoisonError::into_inner), &knobs)
    }

    pub fn requests(&self) -> Vec<RequestLogEntry> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).entries.iter().cloned().collect()
    }

    /// Requests by `METHOD template`, such as `GET /teams/{id}/channels`.
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).counts.clone()
    }

    pub fn clear_requests(&self) {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// TCP connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    pub fn knobs(&self) -> Knobs {
        (*self.shared.knobs()).clone()
    }

    /// Switches behaviour: `emulator.set(|knobs| knobs.export_lag_seconds = 3600)`.
    pub fn set(&self, change: impl FnOnce(&mut Knobs)) {
        let mut knobs = self.knobs();
        change(&mut knobs);
        self.replace(knobs);
    }

    /// Switches one knob by name, or acts: `forbid_team`, `hide_team`, `allow_team`, `consent_team`,
    /// `revoke_permission`, `grant_permission`, `hide_user`, `show_user`, `expire_tokens`.
    pub fn set_by_name(&self, name: &str, value: &Value) -> Result<(), String> {
        if name == "expire_tokens" {
            self.expire_tokens();
            return Ok(());
        }
        let mut knobs = self.knobs();
        knob_names::apply(&mut knobs, name, value)?;
        self.replace(knobs);
        Ok(())
    }

    /// Every token given out so far is refused from now on.
    pub fn expire_tokens(&self) {
        self.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner).expire_all();
    }

    fn replace(&self, knobs: Knobs) {
        let reorder = knobs.bubble_edits != self.shared.knobs().bubble_edits;
        let bubble = knobs.bubble_edits;
        *self.shared.switches.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(knobs);
        if reorder {
            let mut tenant = self.shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
            tenant
                .teams
                .iter_mut()
                .flat_map(|team| &mut team.channels)
                .for_each(|channel| channel.thread.index(bubble));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where this may run: inside another runtime.
            runtime.shutdown_background();
        }
    }
}
