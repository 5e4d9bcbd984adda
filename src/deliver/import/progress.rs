//! What is counted while a step goes on.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

/// What is counted while it goes on.
pub struct Progress {
    posted: Vec<AtomicU32>,
    refused: Vec<AtomicU32>,
    reopened: Vec<AtomicBool>,
    started: Instant,
    /// Posts in each second since the start.
    timeline: Mutex<Vec<u32>>,
}

impl Progress {
    pub fn new(containers: usize) -> Self {
        let zeros = || (0..containers).map(|_| AtomicU32::new(0)).collect();
        Self {
            posted: zeros(),
            refused: zeros(),
            reopened: (0..containers).map(|_| AtomicBool::new(false)).collect(),
            started: Instant::now(),
            timeline: Mutex::default(),
        }
    }

    pub(super) fn posted(&self, at: usize) {
        self.posted[at].fetch_add(1, Ordering::Relaxed);
        let second = self.started.elapsed().as_secs() as usize;
        let mut timeline = self.timeline.lock();
        if timeline.len() <= second {
            timeline.resize(second + 1, 0);
        }
        timeline[second] += 1;
    }

    pub(super) fn refused(&self, at: usize) {
        self.refused[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reopened(&self, at: usize) {
        self.refused[at].fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn reopen(&self, at: usize) {
        self.reopened[at].store(true, Ordering::Relaxed);
    }

    pub(super) fn was_reopened(&self, at: usize) -> bool {
        self.reopened[at].load(Ordering::Relaxed)
    }

    /// Posted and refused in this run, by container.
    pub fn counts(&self) -> Vec<(u32, u32)> {
        let read = |list: &[AtomicU32], at: usize| list[at].load(Ordering::Relaxed);
        (0..self.posted.len()).map(|at| (read(&self.posted, at), read(&self.refused, at))).collect()
    }

    pub fn timeline(&self) -> Vec<u32> {
        self.timeline.lock().clone()
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}
