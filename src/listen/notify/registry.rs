//! Which subscriptions are ours, as far as a notification can prove that it belongs to one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use parking_lot::RwLock;

use super::outcome::Outcome;
use teams_base::secret::Secret;

/// A subscription of ours.
#[derive(Debug, Clone)]
pub struct Known {
    /// Those that it has now and had before: what was on its way when it was made anew still comes.
    pub ids: Vec<String>,
    /// It is being made: notifications may come before Graph has told us its id.
    pub is_pending: bool,
    pub client_state: Secret,
    /// The tables that it feeds.
    pub tables: Vec<String>,
}

impl Known {
    fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|own| own.eq_ignore_ascii_case(id))
    }
}

#[derive(Debug, Default)]
pub struct Registry(RwLock<Vec<Known>>);

impl Registry {
    pub fn set(&self, known: Vec<Known>) {
        *self.0.write() = known;
    }

    /// Whether an item belongs to a subscription of ours. All are compared, each in constant time.
    pub fn check(&self, id: &str, client_state: Option<&str>) -> Result<(), Outcome> {
        let state = client_state.unwrap_or_default().as_bytes();
        let known = self.0.read();
        let (mut is_ours, mut is_own_state, mut is_pending_state) = (false, false, false);
        for one in known.iter() {
            let is_equal = verify_slices_are_equal(one.client_state.expose().as_bytes(), state).is_ok();
            let has = one.has(id);
            is_ours |= has;
            is_own_state |= is_equal & has;
            is_pending_state |= is_equal & one.is_pending;
        }
        match (is_ours, is_own_state, is_pending_state) {
            _ if state.is_empty() && is_ours => Err(Outcome::ClientState),
            (true, true, _) => Ok(()),
            (true, false, _) => Err(Outcome::ClientState),
            (false, _, true) if !state.is_empty() => Ok(()),
            (false, ..) => Err(Outcome::UnknownSubscription),
        }
    }

    /// The tables that a subscription feeds.
    pub fn tables(&self, id: &str) -> Vec<String> {
        let known = self.0.read();
        known.iter().find(|one| one.has(id)).map(|one| one.tables.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_needs_the_state_of_its_own_subscription() {
        let registry = Registry::default();
        assert_eq!(registry.check("a", Some("x")), Err(Outcome::UnknownSubscription));
        let known = |id: &str, state: &str, is_pending| Known {
            ids: vec![id.to_owned()],
            is_pending,
            client_state: Secret::new(state),
            tables: vec![id.to_owned()],
        };
        registry.set(vec![known("a", "x", false), known("b", "y", true), known("c", "", false)]);
        assert_eq!(registry.check("A", Some("x")), Ok(()));
        for (id, state, why) in [
            ("a", Some("y"), Outcome::ClientState),
            ("a", None, Outcome::ClientState),
            ("c", Some(""), Outcome::ClientState),
            ("c", None, Outcome::ClientState),
            ("new", Some("x"), Outcome::UnknownSubscription),
        ] {
            assert_eq!(registry.check(id, state), Err(why), "{id} {state:?}");
        }
        assert_eq!(registry.check("new", Some("y")), Ok(()), "the one that is being made");
        assert_eq!((registry.tables("b"), registry.tables("new")), (vec!["b".to_owned()], Vec::new()));
    }
}
