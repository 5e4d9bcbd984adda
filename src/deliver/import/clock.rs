//! The time and the place of every post of a container: a pure function of the source, so that a resumed run sends the
//! same.
//!
//! Teams takes one message per millisecond of a channel or chat, and a reply after its root. So posts go in the order of
//! the source's times; each has its own time cut to the millisecond, or one more than the post before it. A reply that is
//! older than its root comes right after it.

/// One row of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Microseconds since 1970.
    pub at_us: i64,
    /// The row that is its root, if the source has it.
    pub root: Option<u32>,
    /// How many posts it becomes; at least one.
    pub parts: u32,
}

/// One row's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub row: u32,
    /// Milliseconds since 1970 of its first post; the others have the milliseconds after it.
    pub at_ms: i64,
}

/// The turns of all rows, in the order in which they are posted.
pub fn turns(rows: &[Row]) -> Vec<Turn> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    // A stable sort: rows of one time keep the source's order.
    order.sort_by_key(|row| rows[*row as usize].at_us);
    let mut clock =
        Clock { rows, last_ms: i64::MIN, done: vec![false; rows.len()], turns: Vec::with_capacity(rows.len()) };
    let mut early: std::collections::HashMap<u32, Vec<u32>> = std::collections::HashMap::new();
    for row in order {
        if let Some(root) = rows[row as usize].root.filter(|root| *root != row && !clock.done[*root as usize]) {
            early.entry(root).or_default().push(row);
        } else {
            clock.take(row);
            for reply in early.remove(&row).into_iter().flatten() {
                clock.take(reply);
            }
        }
    }
    // Rows that name each other as roots.
    let mut rest: Vec<u32> = early.into_values().flatten().collect();
    rest.sort_unstable();
    rest.into_iter().for_each(|row| clock.take(row));
    clock.turns
}

struct Clock<'a> {
    rows: &'a [Row],
    last_ms: i64,
    done: Vec<bool>,
    turns: Vec<Turn>,
}

impl Clock<'_> {
    fn take(&mut self, row: u32) {
        let Row { at_us, parts, .. } = self.rows[row as usize];
        let at_ms = at_us.div_euclid(1_000).max(self.last_ms.saturating_add(1));
        self.last_ms = at_ms + i64::from(parts.max(1)) - 1;
        self.done[row as usize] = true;
        self.turns.push(Turn { row, at_ms });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(at_us: i64, root: Option<u32>) -> Row {
        Row { at_us, root, parts: 1 }
    }

    fn told(rows: &[Row]) -> Vec<(u32, i64)> {
        turns(rows).iter().map(|turn| (turn.row, turn.at_ms)).collect()
    }

    #[test]
    fn each_post_has_its_own_millisecond() {
        let rows = [row(5_999, None), row(5_000, None), row(5_500, None), row(9_000, None)];
        assert_eq!(told(&rows), [(1, 5), (2, 6), (0, 7), (3, 9)]);
    }

    #[test]
    fn parts_take_the_milliseconds_after_their_first() {
        let rows = [Row { at_us: 1_000, root: None, parts: 3 }, row(2_000, None)];
        assert_eq!(told(&rows), [(0, 1), (1, 4)]);
    }

    #[test]
    fn a_reply_older_than_its_root_follows_it() {
        let rows = [row(1_000, Some(2)), row(2_000, None), row(3_000, None), row(3_500, None)];
        assert_eq!(told(&rows), [(1, 2), (2, 3), (0, 4), (3, 5)]);
    }

    #[test]
    fn rows_that_name_each_other_are_not_lost() {
        let rows = [row(1_000, Some(1)), row(2_000, Some(0)), row(3_000, Some(2))];
        assert_eq!(told(&rows), [(2, 3), (0, 4), (1, 5)]);
    }

    #[test]
    fn times_before_1970_are_cut_downwards() {
        assert_eq!(told(&[row(-1, None)]), [(0, -1)]);
    }

    proptest! {
        #[test]
        fn every_row_has_one_turn_and_the_times_only_grow(
            rows in prop::collection::vec((0_i64..50_000, prop::option::of(0_u32..40), 1_u32..4), 1..40)
        ) {
            let count = rows.len() as u32;
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(at_us, root, parts)| Row { at_us, root: root.map(|root| root % count), parts })
                .collect();
            let turns = turns(&rows);
            let mut seen: Vec<u32> = turns.iter().map(|turn| turn.row).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
            for pair in turns.windows(2) {
                let parts = i64::from(rows[pair[0].row as usize].parts);
                prop_assert!(pair[1].at_ms >= pair[0].at_ms + parts);
            }
            for turn in &turns {
                prop_assert!(turn.at_ms >= rows[turn.row as usize].at_us / 1_000);
            }
            let place = |row: u32| turns.iter().position(|turn| turn.row == row).unwrap();
            for (at, row) in rows.iter().enumerate() {
                if let Some(root) = row.root.filter(|root| rows[*root as usize].root.is_none()) {
                    prop_assert!(place(root) < place(at as u32), "a root goes before its replies");
                }
            }
        }
    }
}
