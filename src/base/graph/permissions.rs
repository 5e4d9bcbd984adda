//! Which permissions stand in for which. Declarations name the least privileged one of each endpoint; tenants have often
//! granted a wider one (<https://learn.microsoft.com/graph/permissions-reference>).

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
