//! A tenant that lives: people write, answer, react and edit while it is served.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::mutate::mutation::Mutation;
use crate::server::control;
use crate::server::state::Shared;

/// Something happens every `every`, until the tenant is gone. Which conversation it happens in is chosen by the seed.
pub async fn run(shared: Weak<Shared>, every: Duration) {
    for turn in 0_usize.. {
        tokio::time::sleep(every).await;
        let Some(shared) = shared.upgrade() else { return };
        happens(&shared, turn);
    }
}

fn happens(shared: &Arc<Shared>, turn: usize) {
    let is_turn = |each: usize| usize::from(turn % each == each - 1);
    let asked = Mutation {
        new_messages: 1,
        late_replies: 1 + turn % 2,
        chat_messages: turn % 2,
        reactions: is_turn(2),
        edits: is_turn(5),
        deletes: is_turn(20),
        ..Mutation::default()
    };
    control::mutate(shared, &asked);
}
