//! Who is in a group, who owns it, and which licences people have.

use super::list::{GROUPS, List, Parent};
use super::{Column, Derived, Ingestion, Kind, Reading, Table};
use teams_base::graph::endpoint::{Endpoint, RateClass};

/// Of the polymorphic `directoryObject`: what a reader needs to tell people from groups, devices and applications.
const DIRECTORY_OBJECT: &[Column] = &[
    Column::derived("group_id", Derived::Group),
    Column::text("id"),
    Column::named("odata_type", "@odata.type"),
    Column::text("displayName"),
    Column::text("userPrincipalName"),
    Column::text("mail"),
    Column::text("userType"),
];
const DIRECTORY_SELECT: &[(&str, &str)] = &[("$select", "id,displayName,userPrincipalName,mail,userType")];
const HIDDEN: &str = "Groups with hidden membership need Member.Read.Hidden as well";

/// <https://learn.microsoft.com/graph/api/group-list-transitivemembers>
pub(super) static GROUP_MEMBERS: Table = Table {
    name: "group_members",
    description: "The members of groups, those of nested groups included: people, groups, devices and applications.",
    endpoint: "GET /groups/{id}/transitiveMembers",
    columns: DIRECTORY_OBJECT,
    keys: &["group_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["GroupMember.Read.All"],
    required_options: GROUPS,
    reading: Reading::List(&List {
        query: DIRECTORY_SELECT,
        top: Some(999),
        prerequisites: HIDDEN,
        ..List::new(
            Parent::Group,
            &Endpoint {
                template: "/groups/{id}/transitiveMembers",
                class: RateClass::Directory(4),
                permission: "GroupMember.Read.All",
            },
        )
    }),
};

/// <https://learn.microsoft.com/graph/api/group-list-owners>
pub(super) static GROUP_OWNERS: Table = Table {
    name: "group_owners",
    description: "The owners of groups.",
    endpoint: "GET /groups/{id}/owners",
    columns: DIRECTORY_OBJECT,
    keys: &["group_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["GroupMember.Read.All"],
    required_options: GROUPS,
    reading: Reading::List(&List {
        query: DIRECTORY_SELECT,
        top: Some(999),
        prerequisites: HIDDEN,
        ..List::new(
            Parent::Group,
            &Endpoint {
                template: "/groups/{id}/owners",
                class: RateClass::Directory(1),
                permission: "GroupMember.Read.All",
            },
        )
    }),
};

const LICENSE: Kind = Kind::Struct(&[Column::text("skuId"), Column::new("disabledPlans", Kind::List(&Kind::Text))]);
const PLAN: Kind = Kind::Struct(&[
    Column::text("assignedDateTime"),
    Column::text("capabilityStatus"),
    Column::text("service"),
    Column::text("servicePlanId"),
]);

/// <https://learn.microsoft.com/graph/api/user-list>
pub(super) static USER_LICENSES: Table = Table {
    name: "user_licenses",
    description: "The licences and service plans of each person; empty lists where there are none.",
    endpoint: "GET /users?$select=assignedLicenses,assignedPlans",
    columns: &[
        Column::text("id"),
        Column::text("userPrincipalName"),
        Column::text("displayName"),
        Column::bool("accountEnabled"),
        Column::text("usageLocation"),
        Column::new("assignedLicenses", Kind::List(&LICENSE)),
        Column::new("assignedPlans", Kind::List(&PLAN)),
    ],
    keys: &["id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["User.Read.All"],
    required_options: "",
    reading: Reading::List(&List {
        query: &[(
            "$select",
            "id,userPrincipalName,displayName,accountEnabled,usageLocation,assignedLicenses,assignedPlans",
        )],
        top: Some(999),
        ..List::new(
            Parent::Tenant,
            &Endpoint { template: "/users", class: RateClass::Directory(1), permission: "User.Read.All" },
        )
    }),
};
