//! Users and groups, with deletes, by directory delta queries.

use crate::schema::{Column, ColumnType, Derived, DirectoryObject, Ingestion, Reading, Table};

/// <https://learn.microsoft.com/graph/api/user-delta>
pub(super) static USERS: Table = Table {
    name: "users",
    description: "The people of the tenant, guests included, with deletes.",
    columns: &[
        Column::text("id"),
        Column::text("displayName"),
        Column::text("userPrincipalName"),
        Column::text("mail"),
        Column::text("givenName"),
        Column::text("surname"),
        Column::text("jobTitle"),
        Column::text("department"),
        Column::text("companyName"),
        Column::text("officeLocation"),
        Column::text("city"),
        Column::text("country"),
        Column::text("usageLocation"),
        Column::text("preferredLanguage"),
        Column::text("mobilePhone"),
        Column::new("businessPhones", ColumnType::List(&ColumnType::Text)),
        Column::bool("accountEnabled"),
        Column::text("userType"),
        Column::text("employeeId"),
        Column::text("createdDateTime"),
        Column::bool("onPremisesSyncEnabled"),
        Column::new("otherMails", ColumnType::List(&ColumnType::Text)),
        Column::new("proxyAddresses", ColumnType::List(&ColumnType::Text)),
        Column::text("externalUserState"),
        Column::derived("observed_at", Derived::ObservedAt),
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
        Column::text("id"),
        Column::text("displayName"),
        Column::text("description"),
        Column::text("mail"),
        Column::bool("mailEnabled"),
        Column::text("mailNickname"),
        Column::new("groupTypes", ColumnType::List(&ColumnType::Text)),
        Column::new("resourceProvisioningOptions", ColumnType::List(&ColumnType::Text)),
        Column::bool("securityEnabled"),
        Column::text("visibility"),
        Column::text("classification"),
        Column::text("createdDateTime"),
        Column::text("renewedDateTime"),
        Column::text("expirationDateTime"),
        Column::bool("isAssignableToRole"),
        Column::text("membershipRule"),
        Column::text("preferredLanguage"),
        Column::text("theme"),
        Column::derived("observed_at", Derived::ObservedAt),
    ],
    cursor: Some("observed_at"),
    ingestion: Ingestion::CdcWithDeletes,
    ..Table::of(Reading::DirectoryDelta(DirectoryObject::Groups))
};
