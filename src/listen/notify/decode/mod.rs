//! Notifications into rows: opened on all cores, the newest version of each object chosen, and decoded by the same declarations
//! as pages of Graph.
//!
//! [`received`]: an item on its way in; [`open`]: one opened; [`newest`]: which version counts; [`output`]: a table's rows, of which [`scope`] says what is wanted;
//! [`changes`]: what is told beside them; [`kept`]: the items themselves.

pub mod changes;
pub mod kept;
mod newest;
mod open;
mod output;
mod received;
mod scope;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use arrow_array::RecordBatch;
use jiff::Timestamp;

use super::item::LifecycleKind;
use super::keys::KeyRing;
use super::outcome::{Counts, Outcome};
pub use open::Gate;
use open::{Change, Opened};
pub use output::{Filled, Output, sources};
use output::{Filling, Taken};
pub use received::Received;
use teams_base::error::{Error, Result};
use teams_base::options::TableOptions;
use teams_tables::{Projection, find};

/// Fewer items than this are opened where they are: a thread costs more.
const FEW: usize = 8;

/// A table that is wanted, with its options and columns.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub table: String,
    pub options: TableOptions,
    pub columns: Option<Vec<String>>,
}

/// What Graph said of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub event: LifecycleKind,
    pub subscription: String,
    pub arrived: Timestamp,
}

/// A notification whose content lies in a storage account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversized {
    pub subscription: String,
    pub storage: Option<String>,
    pub arrived: Timestamp,
}

/// What items came to.
pub struct Decoded {
    /// Of each item, in order.
    pub outcomes: Vec<Outcome>,
    pub tables: Vec<Filled>,
    pub lifecycle: Vec<Event>,
    pub oversized: Vec<Oversized>,
    pub oldest: Option<Timestamp>,
}

impl Decoded {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.outcomes.iter().for_each(|outcome| counts.add(*outcome));
        counts
    }

    /// The items that somebody has to look at: they were wanted, and became no row.
    pub fn problems(&self, items: &[Received<'_>]) -> RecordBatch {
        let found = items.iter().zip(&self.outcomes).filter(|(_, outcome)| outcome.is_problem());
        let (items, outcomes): (Vec<_>, Vec<_>) = found.unzip();
        kept::batch(items, &outcomes, None)
    }

    /// The items as they came.
    pub fn kept(&self, items: &[Received<'_>], position: Option<i64>) -> RecordBatch {
        kept::batch(items, &self.outcomes, position)
    }
}

/// The tables that items are decoded into.
pub struct Decoder {
    outputs: Vec<Output>,
}

impl Decoder {
    pub fn new(wanted: &[Wanted]) -> Result<Self> {
        let outputs = wanted.iter().map(|one| {
            let table = find(&one.table)?;
            if sources(table).is_empty() {
                return Err(Error::configuration(format!(
                    "Graph sends no notifications of table '{}': it is kept fresh by reading it",
                    one.table
                )));
            }
            Output::new(table, &one.options, one.columns.as_deref())
        });
        Ok(Self { outputs: outputs.collect::<Result<_>>()? })
    }

    pub fn projections(&self) -> impl Iterator<Item = &Projection> {
        self.outputs.iter().map(|output| output.projection.as_ref())
    }

    pub fn decode(&self, items: &[Received<'_>], keys: &KeyRing, gate: Gate<'_>) -> Decoded {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; items.len()];
        let (mut changes, mut lifecycle, mut oversized) = (Vec::new(), Vec::new(), Vec::new());
        for (at, opened) in opened(items, keys, gate).into_iter().enumerate() {
            let arrived = items[at].arrived;
            match opened {
                Opened::Change(change) => changes.push((at, *change)),
                Opened::Lifecycle { event, subscription } => {
                    outcomes[at] = Some(Outcome::Lifecycle);
                    lifecycle.push(Event { event, subscription, arrived });
                }
                Opened::Oversized { subscription, storage } => {
                    outcomes[at] = Some(Outcome::Oversized);
                    oversized.push(Oversized { subscription, storage, arrived });
                }
                Opened::Ended(outcome) => outcomes[at] = Some(outcome),
            }
        }
        let mut filling: Vec<_> = self.outputs.iter().map(Filling::new).collect();
        for (at, change) in newest::newest(changes, &mut outcomes) {
            outcomes[at] = Some(fill(&mut filling, &change));
        }
        Decoded {
            outcomes: outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Malformed)).collect(),
            tables: filling.into_iter().filter_map(Filling::finish).collect(),
            lifecycle,
            oversized,
            oldest: items.iter().map(|item| item.arrived).min(),
        }
    }
}

fn fill(filling: &mut [Filling<'_>], change: &Change) -> Outcome {
    let taken: Vec<_> = filling.iter_mut().map(|table| table.take(change)).collect();
    if taken.contains(&Taken::Rows) {
        Outcome::Rows
    } else if taken.contains(&Taken::Broken) {
        Outcome::Content
    } else {
        Outcome::Outside
    }
}

/// Each item, opened. Nearly all of the time goes into unwrapping keys, so all cores do it.
fn opened(items: &[Received<'_>], keys: &KeyRing, gate: Gate<'_>) -> Vec<Opened> {
    let open = |item: &Received<'_>| open::open(item.text, item.arrived, keys, gate);
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if items.len() < FEW || cores == 1 {
        return items.iter().map(open).collect();
    }
    // In small portions, so that no core waits for another that got the larger items.
    let next = std::sync::atomic::AtomicUsize::new(0);
    let portions: Vec<&[Received<'_>]> = items.chunks(FEW * 4).collect();
    let mut done: Vec<(usize, Vec<Opened>)> = std::thread::scope(|scope| {
        let work = || {
            let mut own = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(portion) = portions.get(at) else { return own };
                own.push((at, portion.iter().map(open).collect::<Vec<_>>()));
            }
        };
        let others: Vec<_> = (1..cores.min(portions.len())).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(own) => done.extend(own),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, opened)| opened).collect()
}
