//! Which way messages are read by: the export API, lists of channels and chats, or channel delta. The one place that
//! looks at the option `strategy`.
//!
//! | `strategy` | a history | later changes | late edits of old replies |
//! |---|---|---|---|
//! | `auto` | the export; lists where it is refused, and of children that an option names | lists | a sweep of the export, or reading again |
//! | `export` | the export | the export | the export |
//! | `channels` | lists | lists | channels are read again every `resweep_days` |
//! | `delta` | channel delta; lists where it is refused | the same | delta |
//!
//! Whether the export API answers at all is found out while reading: see `export_availability`.

use crate::state::round_kind::Family;
use teams_base::options::{Strategy, TableOptions};

/// The option, for one family of messages.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    strategy: Strategy,
    is_child_named: bool,
    is_chat_named: bool,
}

impl Ways {
    pub fn of(options: &TableOptions, family: Family) -> Self {
        Self {
            strategy: options.strategy,
            is_child_named: family.is_child_named(options),
            is_chat_named: !options.chat_ids.is_empty(),
        }
    }

    /// Everything comes from the export, and what it refuses is an error.
    pub fn is_export_only(self) -> bool {
        self.strategy == Strategy::Export
    }

    /// Lists are read, with the export beside them where it helps and answers.
    pub fn may_export(self) -> bool {
        self.strategy == Strategy::Auto
    }

    /// The history of a parent that has never been read is exported. An export holds all children of a parent, so that
    /// it is not worth its requests where an option names some.
    pub fn exports_history(self) -> bool {
        self.may_export() && !self.is_child_named
    }

    /// Late edits are looked for by a sweep of the export. Chats that an option names have no parent to export.
    pub fn sweeps_export(self) -> bool {
        self.may_export() && !self.is_chat_named
    }

    /// A channel is asked for its changes by delta.
    pub fn uses_delta(self) -> bool {
        self.strategy == Strategy::Delta
    }

    /// Late edits show up only when children are read again from their beginning: channel lists do not show them, and
    /// `is_export_offered` says that there is an export to sweep. Lists of chats do show them; but quiet chats were not
    /// asked while there seemed to be an export.
    pub fn rereads_children(self, family: Family, is_export_offered: bool) -> bool {
        !is_export_offered || family == Family::Channels && self.strategy == Strategy::Channels
    }
}

/// The option's value.
pub fn name(options: &TableOptions) -> &'static str {
    match options.strategy {
        Strategy::Auto => "auto",
        Strategy::Export => "export",
        Strategy::Channels => "channels",
        Strategy::Delta => "delta",
    }
}

/// The way that a read of a table tries, as the preflight sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// The export only.
    Export,
    /// The export, and lists where it is refused.
    ExportThenLists,
    /// Lists only.
    Lists,
}

/// What the options choose where a table is read by an export or by lists.
pub fn endpoints(options: &TableOptions) -> Endpoints {
    let is_child_named = [Family::Channels, Family::Chats].iter().any(|family| family.is_child_named(options));
    match options.strategy {
        Strategy::Export => Endpoints::Export,
        Strategy::Auto if !is_child_named => Endpoints::ExportThenLists,
        Strategy::Auto | Strategy::Channels | Strategy::Delta => Endpoints::Lists,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_has_its_ways() {
        let ways = |strategy, channel: &[&str]| {
            let channel_ids = channel.iter().map(ToString::to_string).collect();
            Ways::of(&TableOptions { strategy, channel_ids, ..TableOptions::default() }, Family::Channels)
        };
        let seen =
            |ways: Ways| (ways.is_export_only(), ways.exports_history(), ways.sweeps_export(), ways.uses_delta());
        assert_eq!(seen(ways(Strategy::Auto, &[])), (false, true, true, false));
        assert_eq!(seen(ways(Strategy::Auto, &["c"])), (false, false, true, false));
        assert_eq!(seen(ways(Strategy::Export, &[])), (true, false, false, false));
        assert_eq!(seen(ways(Strategy::Channels, &[])), (false, false, false, false));
        assert_eq!(seen(ways(Strategy::Delta, &[])), (false, false, false, true));
        for (strategy, family, is_offered, expected) in [
            (Strategy::Auto, Family::Channels, true, false),
            (Strategy::Auto, Family::Chats, false, true),
            (Strategy::Channels, Family::Channels, true, true),
            (Strategy::Channels, Family::Chats, true, false),
            (Strategy::Delta, Family::Channels, true, false),
        ] {
            let found = ways(strategy, &[]).rereads_children(family, is_offered);
            assert_eq!(found, expected, "{strategy:?} {family:?} {is_offered}");
        }
    }
}
