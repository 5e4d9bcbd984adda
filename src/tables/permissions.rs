//! Which permissions stand in for which. Declarations name the least privileged one of each endpoint; tenants have often
//! granted a wider one (<https://learn.microsoft.com/graph/permissions-reference>).

use super::{Reading, Table};

/// Application permissions that include `permission` where this connector uses it.
pub fn alternatives(permission: &str) -> &'static [&'static str] {
    match permission {
        // Listing `/teams`; where that is refused, the groups that have a team are listed instead.
        "Team.ReadBasic.All" => &[
            "TeamSettings.Read.All",
            "TeamSettings.ReadWrite.All",
            "Group.ReadBasic.All",
            "GroupMember.Read.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        "TeamSettings.Read.All" => &["TeamSettings.ReadWrite.All"],
        "TeamMember.Read.All" => &["TeamMember.ReadWrite.All"],
        "Channel.ReadBasic.All" => &[
            "ChannelSettings.Read.All",
            "ChannelSettings.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        "ChannelMember.Read.All" => &["ChannelMember.ReadWrite.All"],
        "Chat.ReadBasic.All" => &["Chat.Read.All", "Chat.ReadWrite.All"],
        "Chat.Read.All" => &["Chat.ReadWrite.All"],
        "ChatMember.Read.All" => {
            &["ChatMember.ReadWrite.All", "Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"]
        }
        "User.ReadBasic.All" => {
            &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]
        }
        "User.Read.All" => &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
        "Group.ReadBasic.All" => &[
            "GroupMember.Read.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        "Group.Read.All" => &["Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
        "GroupMember.ReadBasic.All" => &[
            "GroupMember.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
        ],
        "GroupMember.Read.All" => {
            &["GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"]
        }
        "TeamsTab.Read.All" => {
            &["TeamsTab.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"]
        }
        "TeamsAppInstallation.ReadForTeam.All" => &[
            "TeamsAppInstallation.Read.All",
            "TeamsAppInstallation.ReadWriteForTeam.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
        ],
        "TeamsAppInstallation.ReadForUser.All" => {
            &["TeamsAppInstallation.Read.All", "TeamsAppInstallation.ReadWriteForUser.All"]
        }
        _ => &[],
    }
}

/// What a tenant must have beside permissions. Nothing but a refusal shows that it lacks.
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
    use super::*;
    use crate::tables::TABLES;

    #[test]
    fn nothing_stands_in_for_itself_and_reading_messages_has_no_stand_in() {
        for permission in TABLES.iter().flat_map(|table| table.permissions) {
            let others = alternatives(permission);
            assert!(!others.contains(permission), "{permission}");
        }
        assert!(alternatives("ChannelMessage.Read.All").is_empty());
    }
}
