//! Changes of a running tenant, asked for by its owner: in this process, or over HTTP from another one on this machine.
//!
//! `POST /emulator/mutate` takes the counts of a [`Mutation`], `POST /emulator/post` a [`Post`]; both answer what was
//! changed. `POST /emulator/act` takes an [`Act`] and answers what the bot is to be told. They are no part of Graph: they need no token and are in no log.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::bot::answered;
use crate::bot::people::{self, Act, Said};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::mutate;
use crate::mutate::mutation::{Mutation, MutationSummary, Touched};
use crate::mutate::mutator::Mutator;
use crate::mutate::post::Post;
use crate::push::event::{self, Event};
use crate::server::notify;
use crate::server::state::Shared;
use crate::server::tell::Told;
use crate::tenant::clock::iso;
use crate::tenant::model::Tenant;

/// What a request of the owner is answered; `None` for one of Graph.
pub fn answer(shared: &Shared, request: &Request) -> Option<Response> {
    let result = match request.path.as_str() {
        "/emulator/mutate" => parsed(request).map(|asked: Mutation| json!(mutate(shared, &asked))),
        "/emulator/act" => {
            parsed(request).and_then(|asked: Act| act(shared, &request.base, &asked)).map(|said| json!(said))
        }
        "/emulator/post" => parsed(request).and_then(|asked: Post| post(shared, &asked)).map(|touched| json!(touched)),
        _ => return None,
    };
    Some(match result {
        Ok(value) => Response::ok(value.to_string()),
        Err(error) => Response { status: 400, ..Response::ok(json!({"error": error}).to_string()) },
    })
}

fn parsed<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    if request.method != "POST" {
        return Err("POST a JSON object".to_owned());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| format!("no JSON: {error}"))?;
    serde_json::from_value(body).map_err(|error| error.to_string())
}

/// Changes the tenant. All changes are dated between the clock's time before (plus `advance_seconds`) and after.
pub fn mutate(shared: &Shared, mutation: &Mutation) -> MutationSummary {
    let seconds = i64::try_from(mutation.advance_seconds).unwrap_or(i64::MAX);
    shared.clock.advance_ms(seconds.saturating_mul(1000));
    let (mut summary, now) = changed(shared, mutation, mutate::apply, event::of);
    summary.now = now;
    summary
}

/// Lets a person act, and gives what the bot is to be told of it.
pub fn act(shared: &Shared, base: &str, asked: &Act) -> Result<Vec<Said>, String> {
    // A person may act by two activities, each with a number of its own.
    let number = shared.mutations.fetch_add(2, Ordering::Relaxed);
    let knobs = shared.knobs();
    let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
    people::act(&mut tenant, &knobs, base, number, asked)
}

/// Notes what the bot answered, and shows it.
pub fn answered(shared: &Shared, told: &Told) {
    let is_click = told.activity["name"] == "adaptiveCard/action" && told.statuses.last() == Some(&200);
    if is_click {
        let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
        answered::note(&mut tenant, shared.clock.now_ms(), &told.activity, &told.body);
    }
    shared.told.lock().unwrap_or_else(PoisonError::into_inner).push(told.clone());
}

/// Writes one message.
pub fn post(shared: &Shared, post: &Post) -> Result<Touched, String> {
    let write = |mut mutator: Mutator<'_>| {
        let touched = mutator.write(post);
        (touched, mutator.at_ms)
    };
    let told = |tenant: &Tenant, written: &Result<Touched, String>, now_ms| {
        let event = written.as_ref().ok().and_then(|touched| event::of_post(tenant, touched, now_ms));
        event.into_iter().collect()
    };
    changed(shared, &Mutation::default(), write, told).0
}

/// What a change gives, and the clock after it, which never shows a time before a change that can be read. Subscribers are
/// told of its events.
fn changed<T>(
    shared: &Shared,
    asked: &Mutation,
    change: impl FnOnce(Mutator<'_>) -> (T, i64),
    told: impl FnOnce(&Tenant, &T, i64) -> Vec<Event>,
) -> (T, String) {
    let turn = shared.mutations.fetch_add(1, Ordering::Relaxed);
    let seed = shared.config.seed ^ asked.seed.rotate_left(17) ^ turn.rotate_left(40);
    let knobs = shared.knobs();
    let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
    let before = shared.clock.now_ms();
    let (result, last) = change(Mutator::new(&mut tenant, &knobs, StdRng::seed_from_u64(seed), asked, before));
    shared.clock.advance_ms((last + 1 - shared.clock.now_ms()).max(0));
    notify::tell(shared, &tenant, &knobs, || told(&tenant, &result, last));
    (result, iso(shared.clock.now_ms()))
}
