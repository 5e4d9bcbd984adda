//! What a tenant must have beside permissions.

use super::{Reading, Table};

/// Nothing but a refusal shows that it lacks.
pub fn prerequisite(table: &Table) -> Option<&'static str> {
    if let Reading::List(list) = table.reading
        && !list.prerequisites.is_empty()
    {
        return Some(list.prerequisites);
    }
    let endpoint = table.endpoint;
    if endpoint.contains("getAllRetainedMessages") {
        Some("a Purview retention policy that covers Teams")
    } else if endpoint.contains("/onlineMeetings") {
        Some("an application access policy for online meetings, granted to this app by a Teams administrator")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use teams_base::graph::permissions::alternatives;

    use crate::TABLES;

    #[test]
    fn nothing_stands_in_for_itself_and_reading_messages_has_no_stand_in() {
        for permission in TABLES.iter().flat_map(|table| table.permissions) {
            let others = alternatives(permission);
            assert!(!others.contains(permission), "{permission}");
        }
        assert!(alternatives("ChannelMessage.Read.All").is_empty());
    }
}
