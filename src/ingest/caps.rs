//! The caps of a micro-batch, in rows and in pages. They pause a read, they never cut it short.

use std::sync::atomic::{AtomicUsize, Ordering};

use teams_base::options::TableOptions;

/// At most this much in one micro-batch; `None` for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    pub max_rows: Option<usize>,
    pub max_pages: Option<usize>,
}

impl Limits {
    /// `max_records_per_batch` and `max_pages_per_batch` where they are given, and these limits where they are not.
    #[must_use]
    pub fn unless_given(self, options: &TableOptions) -> Self {
        Self {
            max_rows: options.max_records_per_batch.or(self.max_rows),
            max_pages: options.max_pages_per_batch.or(self.max_pages),
        }
    }
}

/// Limits, and the pages that count towards them. Rows are counted where they are kept.
#[derive(Debug, Default)]
pub struct Caps {
    limits: Limits,
    pages: AtomicUsize,
}

impl Caps {
    pub fn new(limits: Limits) -> Self {
        Self { limits, pages: AtomicUsize::new(0) }
    }

    pub fn count_page(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
    }

    pub fn are_reached(&self, rows: usize) -> bool {
        !self.have_room(rows, 0)
    }

    /// Whether one more page may be asked for while `running` pages are on their way.
    pub fn have_room(&self, rows: usize, running: usize) -> bool {
        self.limits.max_pages.is_none_or(|max| self.pages.load(Ordering::Relaxed) + running < max)
            && self.limits.max_rows.is_none_or(|max| rows < max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_wins_over_the_limit_of_the_caller() {
        let limits = Limits { max_rows: Some(7), max_pages: Some(9) };
        let options = TableOptions { max_pages_per_batch: Some(2), ..TableOptions::default() };
        let found = limits.unless_given(&options);
        assert_eq!((found.max_rows, found.max_pages), (Some(7), Some(2)));
        let found = Limits::default().unless_given(&TableOptions::default());
        assert_eq!((found.max_rows, found.max_pages), (None, None));
    }
}
