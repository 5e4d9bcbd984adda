//! The error of a round in which a scope failed: it comes once, after all that the round read has been handed out.

use super::parents::key;
use crate::context::ReadContext;
use crate::state::offset::Offset;
use crate::state::round_kind::RoundKind;
use crate::state::round_state::Phase;
use teams_base::error::Result;

/// Fails with the error of the round that `start` ended, where this session met it and has not told it.
pub fn tell(context: &ReadContext, kind: RoundKind, start: Option<&Offset>) -> Result<()> {
    let ended = start.filter(|start| has_failed(start));
    let error = ended.and_then(|ended| context.failures.take(&key(context, kind, ended.until)));
    error.map_or(Ok(()), Err)
}

/// Whether a round ended with this offset, and without some of its scopes.
pub fn has_failed(offset: &Offset) -> bool {
    offset.phase == Phase::Done && offset.known.has_failures()
}
