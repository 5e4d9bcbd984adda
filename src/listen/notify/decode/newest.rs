//! Several versions of one object that came together: the newest counts. What it leaves out is filled from older ones, because
//! a payload may be a part of its object.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::open::Change;
use crate::notify::item::{ChangeKind, Members, joined};
use crate::notify::outcome::Outcome;
use crate::notify::resource::Resource;

/// The newest change of each object, in the order in which these came; the others are marked in `outcomes`. Changes come with
/// their item's position in it.
pub fn newest(changes: Vec<(usize, Change)>, outcomes: &mut [Option<Outcome>]) -> Vec<(usize, Change)> {
    let mut by_object: HashMap<Resource, Vec<(usize, Change)>> = HashMap::with_capacity(changes.len());
    for (at, change) in changes {
        by_object.entry(change.resource.clone()).or_default().push((at, change));
    }
    let mut kept: Vec<_> = by_object.into_values().filter_map(|versions| merge(versions, outcomes)).collect();
    kept.sort_unstable_by_key(|(at, _)| *at);
    kept
}

fn merge(mut versions: Vec<(usize, Change)>, outcomes: &mut [Option<Outcome>]) -> Option<(usize, Change)> {
    versions.sort_by(|(a_at, a), (b_at, b)| {
        (a.order(), number(a), a.arrived, a_at).cmp(&(b.order(), number(b), b.arrived, b_at))
    });
    let (at, mut newest) = versions.pop()?;
    for (older_at, older) in versions.iter().rev() {
        outcomes[*older_at] = Some(Outcome::Superseded);
        newest.payload = match (newest.payload.take(), &older.payload) {
            (Some(own), Some(other)) => Some(completed(own, other)),
            (None, Some(other)) => Some(other.clone()),
            (own, None) => own,
        };
    }
    // Who has never seen it before sees it made.
    if newest.kind == ChangeKind::Updated && versions.iter().any(|(_, older)| older.kind == ChangeKind::Created) {
        newest.kind = ChangeKind::Created;
    }
    Some((at, newest))
}

/// The etag of a message is a number that grows.
fn number(change: &Change) -> Option<u64> {
    change.etag.as_deref()?.trim_matches('"').parse().ok()
}

/// An object with the members that only an older version of it has.
fn completed(own: Zeroizing<String>, older: &str) -> Zeroizing<String> {
    let (Some(members), Some(others)) = (Members::of(&own), Members::of(older)) else { return own };
    let missing: Vec<_> = others.iter().filter(|(name, _)| !members.iter().any(|(own, _)| own == *name)).collect();
    if missing.is_empty() {
        drop(members);
        return own;
    }
    let all = members.iter().chain(missing);
    Zeroizing::new(joined(all.map(|(name, value)| (name, value.get()))))
}
