//! Who is in a group, who owns it, and which licences people have.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::GROUP_ID;
use crate::schema::{Column, ColumnType, Empty, List, Parent, Table};

/// Of the polymorphic `directoryObject`: what a reader needs to tell people from groups, devices and applications.
const DIRECTORY_OBJECT: &[Column] = &[
    GROUP_ID,
    Column::text("id", "The id of the member or owner."),
    Column::named(
        "odata_type",
        "@odata.type",
        "What kind of object it is, such as #microsoft.graph.user or #microsoft.graph.group.",
    ),
    Column::text("displayName", "Its name."),
    Column::text("userPrincipalName", "The name that a person signs in with; null for other objects."),
    Column::text("mail", "Its mail address."),
    Column::text("userType", "Whether a person is a Member or a Guest."),
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

const LICENSE: ColumnType = ColumnType::Struct(&[
    Column::text("skuId", "The id of the licence."),
    Column::texts("disabledPlans", "The ids of the licence's plans that are switched off."),
]);
const PLAN: ColumnType = ColumnType::Struct(&[
    Column::time("assignedDateTime", "When the plan was assigned."),
    Column::text("capabilityStatus", "Whether the plan works: Enabled, Deleted, Suspended, Warning or LockedOut."),
    Column::text("service", "The service, such as exchange or TeamspaceAPI."),
    Column::text("servicePlanId", "The id of the plan."),
]);

/// <https://learn.microsoft.com/graph/api/user-list>
pub(super) static USER_LICENSES: Table = Table {
    name: "user_licenses",
    description: "The licences and service plans of each person; empty lists where there are none.",
    endpoint_text: Some("GET /users?$select=assignedLicenses,assignedPlans"),
    columns: &[
        Column::text("id", "The Entra ID object id of the person."),
        Column::text("userPrincipalName", "The name that the person signs in with."),
        Column::text("displayName", "The person's full name."),
        Column::bool("accountEnabled", "Whether the person may sign in."),
        Column::text("usageLocation", "The country in which the person uses services, as two letters (ISO 3166)."),
        Column::new("assignedLicenses", ColumnType::List(&LICENSE), "The person's licences."),
        Column::new("assignedPlans", ColumnType::List(&PLAN), "The person's service plans."),
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
