//! Who is in a group, who owns it, and which licences people have.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, Empty, List, Parent, Table};

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
    columns: DIRECTORY_OBJECT,
    ..Table::list(&List {
        query: DIRECTORY_SELECT,
        top: Some(999),
        prerequisites: HIDDEN,
        ..List::new(
            Parent::Group,
            &Endpoint::get("/groups/{id}/transitiveMembers", RateClass::Directory(4), "GroupMember.Read.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/group-list-owners>
pub(super) static GROUP_OWNERS: Table = Table {
    name: "group_owners",
    description: "The owners of groups.",
    columns: DIRECTORY_OBJECT,
    ..Table::list(&List {
        query: DIRECTORY_SELECT,
        top: Some(999),
        prerequisites: HIDDEN,
        ..List::new(
            Parent::Group,
            &Endpoint::get("/groups/{id}/owners", RateClass::Directory(1), "GroupMember.Read.All"),
        )
    })
};

const LICENSE: ColumnType =
    ColumnType::Struct(&[Column::text("skuId"), Column::new("disabledPlans", ColumnType::List(&ColumnType::Text))]);
const PLAN: ColumnType = ColumnType::Struct(&[
    Column::text("assignedDateTime"),
    Column::text("capabilityStatus"),
    Column::text("service"),
    Column::text("servicePlanId"),
]);

/// <https://learn.microsoft.com/graph/api/user-list>
pub(super) static USER_LICENSES: Table = Table {
    name: "user_licenses",
    description: "The licences and service plans of each person; empty lists where there are none.",
    endpoint_text: Some("GET /users?$select=assignedLicenses,assignedPlans"),
    columns: &[
        Column::text("id"),
        Column::text("userPrincipalName"),
        Column::text("displayName"),
        Column::bool("accountEnabled"),
        Column::text("usageLocation"),
        Column::new("assignedLicenses", ColumnType::List(&LICENSE)),
        Column::new("assignedPlans", ColumnType::List(&PLAN)),
    ],
    ..Table::list(&List {
        query: &[(
            "$select",
            "id,userPrincipalName,displayName,accountEnabled,usageLocation,assignedLicenses,assignedPlans",
        )],
        top: Some(999),
        empty: Empty::Never,
        ..List::new(Parent::Tenant, &Endpoint::get("/users", RateClass::Directory(1), "User.Read.All"))
    })
};
