//! The parents that a round reads, in sorted order: teams or users.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::context::ReadContext;
use crate::discover::{teams, users};
use crate::state::discovery_cache::Key;
use crate::state::offset::Offset;
use crate::state::round_kind::{Family, RoundKind};
use crate::state::round_state::Phase;
use teams_base::error::Result;

/// Those that the options name, or all that Graph lists. Chats that an option names have one parent, which has no id.
pub async fn discover(context: &ReadContext, kind: RoundKind) -> Result<Vec<String>> {
    match kind {
        RoundKind::Messages(Family::Channels) => teams::ids(context).await,
        RoundKind::Messages(Family::Chats) if !context.options.chat_ids.is_empty() => Ok(vec![String::new()]),
        RoundKind::Messages(Family::Chats) | RoundKind::Chats => users::ids(context).await,
    }
}

/// Those of a round under way: as they were listed for it, or anew where this session has not listed them.
pub async fn of_round(context: &ReadContext, kind: RoundKind, until: Timestamp) -> Result<Arc<[String]>> {
    let cached = context.discovered.parents(&key(context, kind, until), context.client.now());
    if let Some(parents) = cached.filter(|_| context.scopes.is_none()) {
        return Ok(parents);
    }
    let parents: Arc<[String]> = discover(context, kind).await?.into();
    keep(context, kind, until, Arc::clone(&parents));
    Ok(parents)
}

/// How much of a round's parents has been read, of all; those that are half-read count half. Nothing where they are not
/// known, or are one.
pub fn share(context: &ReadContext, kind: RoundKind, offset: &Offset) -> Option<f64> {
    if offset.phase != Phase::Read {
        return None;
    }
    let parents = context.discovered.parents(&key(context, kind, offset.until), context.client.now())?;
    let begun = offset.after.as_ref().map_or(0, |after| parents.partition_point(|parent| parent <= after));
    let open: BTreeSet<_> = offset.open.iter().map(|open| open.scope.split('/').next().unwrap_or_default()).collect();
    (parents.len() > 1).then(|| (begun as f64 - open.len() as f64 / 2.0).max(0.0) / parents.len() as f64)
}

/// Keeps what was listed for a round that begins.
pub fn keep(context: &ReadContext, kind: RoundKind, until: Timestamp, parents: Arc<[String]>) {
    if context.scopes.is_none() {
        let now = context.client.now().unwrap_or(until);
        context.discovered.keep(key(context, kind, until), parents, now);
    }
}

pub fn key(context: &ReadContext, kind: RoundKind, until: Timestamp) -> Key {
    Key { kind, options: Arc::clone(&context.options), until }
}
