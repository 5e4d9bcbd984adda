//! Changes a running tenant: how many of which, chosen by a seed.

pub mod directory;
pub mod edits;
pub mod messages;
pub mod mutation;
pub mod mutator;
pub mod post;
pub mod tamper;

use mutation::MutationSummary;
use mutator::Mutator;

/// Makes all changes; returns what was changed and the time of the last change.
pub fn apply(mut mutator: Mutator<'_>) -> (MutationSummary, i64) {
    mutator.directory();
    for _ in 0..mutator.asked.new_chats {
        mutator.new_chat();
    }
    mutator.messages();
    mutator.chat_messages();
    mutator.index_changed();
    (mutator.summary, mutator.at_ms)
}
