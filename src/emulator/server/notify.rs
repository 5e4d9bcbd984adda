//! Delivers change notifications: the way out of the outbox, and the calls that prove an address.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::http::client;
use crate::http::error::{GraphError, Outcome};
use crate::push::event::Event;
use crate::push::handshake::validate;
use crate::push::outbox::Post;
use crate::push::proposal::Proposal;
use crate::server::state::Shared;
use crate::tenant::ids::guid;
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;

/// How often the tenant's clock is looked at while something waits for it.
const LOOK: Duration = Duration::from_millis(20);

/// Calls the addresses of a subscription, and lets it stand if they answer well. No lock is held meanwhile.
pub fn settle(shared: &Shared, proposal: Proposal) -> Outcome {
    let patience = Duration::from_millis(shared.knobs().push.handshake_ms);
    tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(async {
            for url in &proposal.to_validate {
                let request_id = guid(&mut shared.rng());
                validate(url, &request_id, patience).await?;
            }
            Ok::<(), GraphError>(())
        })
    })?;
    let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
    let hub = proposal.hub.clone();
    let outcome = proposal.settle(&mut tenant.subscriptions, shared.clock.now_ms())?;
    if let Some(hub) = hub {
        shared.outbox().test_hub(&hub, &shared.config.tenant_id);
    }
    Ok(outcome)
}

/// Puts what subscribers are to be told into the outbox; `events` are made only if there is one.
pub fn tell(shared: &Shared, tenant: &Tenant, knobs: &Knobs, events: impl FnOnce() -> Vec<Event>) {
    let now_ms = shared.clock.now_ms();
    let subscriptions: Vec<_> = tenant.subscriptions.live(now_ms).cloned().collect();
    if subscriptions.is_empty() {
        return;
    }
    shared.outbox().tell(&subscriptions, &events(), &shared.config.tenant_id, &knobs.push, now_ms);
    shared.due.notify_one();
}

/// Tells of a subscription itself, by an event such as `reauthorizationRequired`; one that is removed is gone. Without an id
/// it is about all of them. Returns how many.
pub fn lifecycle(shared: &Shared, event: &str, id: Option<&str>) -> usize {
    let now_ms = shared.clock.now_ms();
    let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
    let live = tenant.subscriptions.live(now_ms);
    let concerned: Vec<_> = live.filter(|found| id.is_none_or(|id| id == found.id)).cloned().collect();
    for subscription in &concerned {
        shared.outbox().lifecycle(subscription, event, &shared.config.tenant_id, now_ms);
        if event == "subscriptionRemoved" {
            tenant.subscriptions.remove(&subscription.id);
        }
    }
    shared.due.notify_one();
    concerned.len()
}

/// Sends what is due.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let knobs = shared.knobs();
        let (posts, is_idle) = {
            let mut outbox = shared.outbox();
            let posts = outbox.due(&shared.config.tenant_id, &knobs.push, shared.clock.now_ms());
            (posts, outbox.is_idle())
        };
        for post in posts {
            tokio::spawn(send(shared.clone(), post));
        }
        if is_idle {
            shared.due.notified().await;
        } else {
            let _ = tokio::time::timeout(LOOK, shared.due.notified()).await;
        }
    }
}

async fn send(shared: Arc<Shared>, post: Post) {
    let knobs = shared.knobs();
    let patience = Duration::from_millis(knobs.push.patience_ms);
    let headers =
        [("content-type", "application/json; charset=utf-8"), ("user-agent", "Microsoft Graph Change Tracking")];
    let started = Instant::now();
    let answer = tokio::time::timeout(patience, client::post(&post.url, &headers, post.body.clone().into())).await;
    let status = answer.ok().and_then(Result::ok).map(|answer| answer.status);
    let took_ms = started.elapsed().as_millis() as u64;
    shared.outbox().answered(post, status, took_ms, &knobs.push, shared.clock.now_ms());
    shared.due.notify_one();
}
