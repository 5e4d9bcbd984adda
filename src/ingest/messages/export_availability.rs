//! Whether the export API answers here, as far as a read has found out.
//!
//! Until one export has succeeded only a few are tried at once, so that a tenant without it is asked few times.

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error_policy::Refusal;

/// The export is taken to be missing once this many parents have refused it and none has answered.
const REFUSALS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// This many parents have refused it, and none has answered.
    Untried {
        refusals: usize,
    },
    Offered,
    NotOffered,
}

pub struct ExportAvailability {
    state: Mutex<State>,
    /// Turns to try; closed as soon as it is known whether the export answers.
    turns: Semaphore,
}

impl ExportAvailability {
    /// `is_offered`: it has not been found to be missing before.
    pub fn new(is_offered: bool) -> Self {
        let state = if is_offered { State::Untried { refusals: 0 } } else { State::NotOffered };
        Self { state: Mutex::new(state), turns: Semaphore::new(REFUSALS) }
    }

    /// It answers, or may answer.
    pub fn may_be_offered(&self) -> bool {
        *self.state.lock() != State::NotOffered
    }

    /// Waits for a turn to try; at once, and without one, when there is nothing left to find out.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// An export has succeeded.
    pub fn succeeded(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::Untried { .. }) {
            *state = State::Offered;
            self.turns.close();
        }
    }

    /// A parent has refused; `true` when that shows the export to be missing. The turn of an unclear
    /// refusal is not given back, so that one chance less is left.
    pub fn refused(&self, refusal: Refusal, turn: Option<SemaphorePermit<'_>>) -> bool {
        let mut state = self.state.lock();
        let is_missing = match (refusal, *state) {
            (_, State::NotOffered) | (Refusal::Forbidden | Refusal::Broken, _) | (Refusal::Unclear, State::Offered) => {
                false
            }
            (Refusal::NotOffered, _) => true,
            (Refusal::Unclear, State::Untried { refusals }) => {
                *state = State::Untried { refusals: refusals + 1 };
                if let Some(turn) = turn {
                    turn.forget();
                }
                refusals + 1 >= REFUSALS
            }
        };
        if is_missing {
            *state = State::NotOffered;
            self.turns.close();
        }
        is_missing
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn three_unclear_refusals_or_one_clear_one_show_that_it_is_missing() {
        let export = ExportAvailability::new(true);
        let refuse = |refusal| export.refused(refusal, export.turn().now_or_never().expect("a turn is left"));
        assert!(!refuse(Refusal::Unclear) && !refuse(Refusal::Forbidden) && !refuse(Refusal::Unclear));
        let last = export.turn().now_or_never().expect("one chance is left");
        assert!(export.turn().now_or_never().is_none(), "and only one");
        assert!(export.refused(Refusal::Unclear, last) && !export.may_be_offered());
        assert!(export.turn().now_or_never().expect("nothing is left to find out").is_none());
        let export = ExportAvailability::new(true);
        assert!(export.refused(Refusal::NotOffered, None) && !export.may_be_offered());
        assert!(!export.refused(Refusal::NotOffered, None), "it is told once");
    }

    #[test]
    fn after_a_success_all_may_try_and_unclear_refusals_say_nothing() {
        let export = ExportAvailability::new(true);
        let turns: Vec<_> = (0..REFUSALS).map(|_| export.turn().now_or_never().flatten()).collect();
        let mut waiting = Box::pin(export.turn());
        assert!(waiting.as_mut().now_or_never().is_none());
        export.succeeded();
        assert!(waiting.now_or_never().is_some() && turns.iter().all(Option::is_some));
        for _ in 0..5 {
            assert!(!export.refused(Refusal::Unclear, None));
        }
        assert!(export.may_be_offered());
    }
}
