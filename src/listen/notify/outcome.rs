//! What becomes of a notification. Every one has exactly one outcome, so that counts add up.

use std::collections::BTreeMap;

/// Where a notification went, or why nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// On disk, to be decoded.
    Accepted,
    /// A row of some table.
    Rows,
    /// It is about a subscription.
    Lifecycle,
    /// The test item of an Event Hub.
    Validation,
    /// Not asked for by the options of the tables.
    Outside,
    /// A newer version of the same object came with it.
    Superseded,
    /// Its content went to a storage account.
    Oversized,
    /// It names a key that is not here: set aside, because the key may come.
    UnknownKey,
    /// No JSON, or without what every notification has.
    Malformed,
    UnknownSubscription,
    ClientState,
    /// No token of the POST covers its tenant, or the tenant is not one of ours.
    Tenant,
    /// A token of its POST is forged or stale.
    Token,
    /// Content was subscribed to, and there is none.
    Unencrypted,
    /// The signature of the content is wrong or missing.
    Signature,
    Undecryptable,
    /// What was decrypted is not the object that it should be.
    Content,
    /// A kind of change or of object that no table holds.
    UnknownKind,
}

impl Outcome {
    /// Whether something is to be done about it, or was tried that should not be.
    pub fn is_problem(self) -> bool {
        !matches!(self, Self::Accepted | Self::Rows | Self::Superseded | Self::Outside | Self::Validation)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rows => "rows",
            Self::Lifecycle => "lifecycle",
            Self::Validation => "validation",
            Self::Outside => "outside",
            Self::Superseded => "superseded",
            Self::Oversized => "oversized",
            Self::UnknownKey => "unknown_key",
            Self::Malformed => "malformed",
            Self::UnknownSubscription => "unknown_subscription",
            Self::ClientState => "client_state",
            Self::Tenant => "tenant",
            Self::Token => "token",
            Self::Unencrypted => "unencrypted",
            Self::Signature => "signature",
            Self::Undecryptable => "undecryptable",
            Self::Content => "content",
            Self::UnknownKind => "unknown_kind",
        }
    }
}

/// How many of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Outcome, u64>);

impl Counts {
    pub fn add(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (outcome, count) in &other.0 {
            *self.0.entry(*outcome).or_default() += count;
        }
    }

    pub fn get(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }

    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(outcome, count)| (outcome.name(), *count))
    }
}
