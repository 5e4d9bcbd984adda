//! Time windows of an export, so that a link has to live for minutes only, windows are read side by side, and a read that
//! is killed repeats one window.

use jiff::{SignedDuration, Timestamp};

/// Past this many rows an export is cut into windows.
pub const ROWS_PER_WINDOW: usize = 100_000;

/// At most this many windows come of one cut; a window that is still too large is cut again.
const MAX_WINDOWS: i64 = 64;

/// Windows shorter than this are read to their end, however many rows they hold.
const MIN_SECONDS: i64 = 60;

/// Where a history without a start date begins: Teams was released in 2017, but messages can be imported with dates
/// before that.
const BEGINNING: &str = "2000-01-01T00:00:00Z";

/// A range of `lastModifiedDateTime`: after `from`, up to `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Window {
    pub fn new(from: Option<Timestamp>, to: Timestamp) -> Self {
        Self { from, to: Some(to) }
    }

    /// Graph's `$filter`; the export documents `gt` and `lt` only, so the end is moved by a millisecond, the
    /// precision of message times.
    pub fn filter(&self) -> Option<String> {
        let mut clauses = Vec::new();
        if let Some(from) = self.from {
            clauses.push(format!("lastModifiedDateTime gt {from:.3}"));
        }
        if let Some(to) = self.to.and_then(|to| to.checked_add(SignedDuration::from_millis(1)).ok()) {
            clauses.push(format!("lastModifiedDateTime lt {to:.3}"));
        }
        (!clauses.is_empty()).then(|| clauses.join(" and "))
    }

    /// Cuts the window by the density seen: `oldest..newest` is the time that [`ROWS_PER_WINDOW`] rows covered. The
    /// order of an export is not documented, so that may be all of it; then the window is halved, and halved again.
    pub fn cut(&self, oldest: Option<Timestamp>, newest: Option<Timestamp>) -> Option<Vec<Self>> {
        let to = self.to?;
        // A row of a year that no filter can name does not move the windows there.
        let oldest = oldest.filter(|oldest| *oldest >= Timestamp::UNIX_EPOCH);
        let from = self.from.or(oldest).unwrap_or_else(|| BEGINNING.parse().expect("a constant timestamp"));
        let span = to.duration_since(from).as_secs();
        if span < 2 * MIN_SECONDS {
            return None;
        }
        let covered = match (oldest, newest) {
            (Some(oldest), Some(newest)) => newest.duration_since(oldest).as_secs().max(1),
            _ => span,
        };
        let count = (span / covered).clamp(2, MAX_WINDOWS).min(span / MIN_SECONDS);
        let bound = |n: i64| from.checked_add(SignedDuration::from_secs(span * n / count)).unwrap_or(to);
        let mut windows: Vec<_> = (0..count).map(|n| Self { from: Some(bound(n)), to: Some(bound(n + 1)) }).collect();
        // What is older than the first row seen may still exist.
        windows[0].from = self.from;
        windows.last_mut()?.to = Some(to);
        Some(windows)
    }
}

/// Joins windows that touch.
pub fn join(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by_key(|window| (window.from, window.to));
    let mut joined: Vec<Window> = Vec::new();
    for window in windows {
        match joined.last_mut() {
            Some(last) if last.to == window.from && last.to.is_some() => last.to = window.to,
            _ => joined.push(window),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_cut_covers_the_window_without_gap_or_overlap() {
        let whole = Window::new(None, at("2026-01-01T00:00:00Z"));
        for (oldest, newest) in [
            (at("2025-12-01T00:00:00Z"), at("2025-12-31T00:00:00Z")),
            (at("2016-01-01T00:00:00Z"), at("2025-12-31T00:00:00Z")),
            (at("2025-12-31T00:00:00Z"), at("2025-12-31T00:00:00Z")),
        ] {
            let windows = whole.cut(Some(oldest), Some(newest)).unwrap();
            assert!(windows.len() >= 2);
            assert_eq!((windows[0].from, windows.last().unwrap().to), (whole.from, whole.to));
            assert!(windows.windows(2).all(|pair| pair[0].to == pair[1].from));
            assert_eq!(join(windows), [whole]);
        }
    }

    #[test]
    fn cutting_ends() {
        let mut window = Window::new(Some(at("2025-01-01T00:00:00Z")), at("2026-01-01T00:00:00Z"));
        let mut cuts = 0;
        while let Some(windows) = window.cut(window.from, window.to) {
            window = windows[0];
            cuts += 1;
            assert!(cuts < 40);
        }
        assert!(Window::default().cut(None, None).is_none());
    }

    #[test]
    fn the_filter_includes_the_end_of_the_window() {
        let window = Window::new(Some(at("2026-01-01T00:00:00Z")), at("2026-01-01T01:00:00Z"));
        assert_eq!(
            window.filter().unwrap(),
            "lastModifiedDateTime gt 2026-01-01T00:00:00.000Z and lastModifiedDateTime lt 2026-01-01T01:00:00.001Z"
        );
        assert_eq!(Window::default().filter(), None);
    }

    #[test]
    fn windows_apart_stay_apart() {
        let a = Window::new(Some(at("2026-01-01T00:00:00Z")), at("2026-01-02T00:00:00Z"));
        let b = Window::new(Some(at("2026-01-03T00:00:00Z")), at("2026-01-04T00:00:00Z"));
        assert_eq!(join(vec![b, a]), [a, b]);
    }
}
