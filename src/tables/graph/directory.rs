//! Users and groups, with deletes, by directory delta queries.

use super::keys::OBSERVED_AT;
use crate::schema::{Column, DirectoryObject, Ingestion, Reading, Table};

/// <https://learn.microsoft.com/graph/api/user-delta>
pub(super) static USERS: Table = Table {
    name: "users",
    description: "The people of the tenant, guests included, with deletes.",
    columns: &[
        Column::text("id", "The Entra ID object id of the person."),
        Column::text("displayName", "The person's full name."),
        Column::text("userPrincipalName", "The name that the person signs in with."),
        Column::text("mail", "The person's mail address."),
        Column::text("givenName", "The person's first name."),
        Column::text("surname", "The person's last name."),
        Column::text("jobTitle", "The person's job title."),
        Column::text("department", "The department in which the person works."),
        Column::text("companyName", "The company of the person, mostly of guests."),
        Column::text("officeLocation", "The office in which the person works."),
        Column::text("city", "The city in which the person works."),
        Column::text("country", "The country in which the person works."),
        Column::text("usageLocation", "The country in which the person uses services, as two letters (ISO 3166)."),
        Column::text("preferredLanguage", "The person's language, such as en-US."),
        Column::text("mobilePhone", "The person's mobile phone number."),
        Column::texts("businessPhones", "The person's phone numbers at work."),
        Column::bool("accountEnabled", "Whether the person may sign in."),
        Column::text("userType", "Whether the person is a Member or a Guest."),
        Column::text("employeeId", "The id that the organization gave the person."),
        Column::time("createdDateTime", "When the account was made."),
        Column::bool(
            "onPremisesSyncEnabled",
            "Whether the account is synchronized from a local directory; null if it never was.",
        ),
        Column::texts("otherMails", "Further mail addresses of the person."),
        Column::texts("proxyAddresses", "All addresses of the person's mailbox, with their protocols."),
        Column::text("externalUserState", "Whether an invited guest has accepted: PendingAcceptance or Accepted."),
        OBSERVED_AT,
    ],
    cursor: Some("observed_at"),
    ingestion: Ingestion::CdcWithDeletes,
    ..Table::of(Reading::DirectoryDelta(DirectoryObject::Users))
};

/// <https://learn.microsoft.com/graph/api/group-delta>
pub(super) static GROUPS: Table = Table {
    name: "groups",
    description: "The groups of the tenant, those behind teams among them, with deletes.",
    columns: &[
        Column::text("id", "The Entra ID object id of the group; of a team's group also the team's id."),
        Column::text("displayName", "The group's name."),
        Column::text("description", "What the group is for."),
        Column::text("mail", "The group's mail address."),
        Column::bool("mailEnabled", "Whether the group has mail."),
        Column::text("mailNickname", "The part of the mail address before the at sign."),
        Column::texts(
            "groupTypes",
            "Unified for Microsoft 365 groups, DynamicMembership where a rule picks the members.",
        ),
        Column::texts("resourceProvisioningOptions", "What was made for the group; Team where there is a team."),
        Column::bool("securityEnabled", "Whether permissions can be given to the group."),
        Column::text("visibility", "Who can see and join it: Public, Private or HiddenMembership."),
        Column::text("classification", "The label that the organization gave the group."),
        Column::time("createdDateTime", "When the group was made."),
        Column::time("renewedDateTime", "When the group was last renewed."),
        Column::time("expirationDateTime", "When the group expires; null where it does not."),
        Column::bool("isAssignableToRole", "Whether directory roles can be given to the group."),
        Column::text("membershipRule", "The rule that picks the members of a dynamic group."),
        Column::text("preferredLanguage", "The group's language, such as en-US."),
        Column::text("theme", "The group's colour."),
        OBSERVED_AT,
    ],
    cursor: Some("observed_at"),
    ingestion: Ingestion::CdcWithDeletes,
    ..Table::of(Reading::DirectoryDelta(DirectoryObject::Groups))
};
