//! The phases of a round: it reads, then sweeps the export where that is due, then it is over.

use jiff::Timestamp;

use super::parents::key;
use crate::context::ReadContext;
use crate::messages::strategy::Ways;
use crate::state::offset::{Offset, Open};
use crate::state::round_kind::RoundKind;
use crate::state::round_state::{Phase, days, is_sweep_due};

/// The offset of a round that begins at `until`, after the last one if there was one.
pub fn begin(context: &ReadContext, kind: RoundKind, last: Option<&Offset>, until: Timestamp) -> Offset {
    let Some(last) = last else {
        return Offset { swept: Some(until), ..Offset::begin(until) };
    };
    let open = last.stood.iter().map(|open| Open { stalls: open.stalls.saturating_add(1), ..open.clone() }).collect();
    let stood = Vec::new();
    let since = Some(last.until);
    let mut offset = Offset { phase: Phase::Read, since, until, after: None, open, stood, ..last.clone() };
    offset.known.begin_round();
    let rereads = match kind {
        RoundKind::Messages(family) => Ways::of(&context.options, family).rereads_children(family, offset.export),
        RoundKind::Chats => !offset.export,
    };
    if rereads && is_sweep_due(offset.swept, until) {
        let swept = offset.swept.unwrap_or(until);
        offset.known.forget_due(days(swept, until), context.options.resweep_days);
        offset.swept = Some(until);
    }
    offset
}

/// Moves to the round's next phase, if it has one.
pub fn next(context: &ReadContext, kind: RoundKind, offset: &mut Offset) -> bool {
    let sweeps = match kind {
        RoundKind::Messages(family) => Ways::of(&context.options, family).sweeps_export(),
        RoundKind::Chats => false,
    };
    let is_sweep_due = sweeps && offset.export && is_sweep_due(offset.swept, offset.until);
    offset.after = None;
    if offset.phase == Phase::Read {
        offset.known.end_round(offset.since);
        if is_sweep_due {
            offset.phase = Phase::Sweep;
            return true;
        }
    }
    if offset.phase == Phase::Sweep {
        offset.swept = Some(offset.until);
        offset.known.forget_late_since();
    }
    offset.phase = Phase::Done;
    context.discovered.forget(&key(context, kind, offset.until));
    false
}
