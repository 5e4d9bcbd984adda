//! Schedules of teams and the shifts in them. Reading needs no `MS-APP-ACTS-AS` header any more:
//! <https://devblogs.microsoft.com/microsoft365dev/deprecation-of-ms-app-acts-as-header-in-shifts-management-microsoft-graph-apis/>.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, List, Parent, Shape, Table};

const NO_SCHEDULE: &str = "A team has a schedule once Shifts was set up for it";

/// <https://learn.microsoft.com/graph/api/schedule-get>
pub(super) static SCHEDULES: Table = Table {
    name: "schedules",
    description: "The schedules of teams and what they allow; teams without one have no row.",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::bool("enabled"),
        Column::text("timeZone"),
        Column::text("provisionStatus"),
        Column::text("provisionStatusCode"),
        Column::text("startDayOfWeek"),
        Column::bool("timeClockEnabled"),
        Column::bool("openShiftsEnabled"),
        Column::bool("swapShiftsRequestsEnabled"),
        Column::bool("offerShiftRequestsEnabled"),
        Column::bool("timeOffRequestsEnabled"),
        Column::new("workforceIntegrationIds", ColumnType::List(&ColumnType::Text)),
        Column::json("timeClockSettings"),
    ],
    ..Table::list(&List {
        shape: Shape::Object,
        prerequisites: NO_SCHEDULE,
        ..List::new(Parent::Team, &Endpoint::get("/teams/{id}/schedule", RateClass::Other, "Schedule.Read.All"))
    })
};

const SHIFT: ColumnType = ColumnType::Struct(&[
    Column::text("displayName"),
    Column::text("notes"),
    Column::text("startDateTime"),
    Column::text("endDateTime"),
    Column::text("theme"),
    Column::new(
        "activities",
        ColumnType::List(&ColumnType::Struct(&[
            Column::bool("isPaid"),
            Column::text("startDateTime"),
            Column::text("endDateTime"),
            Column::text("code"),
            Column::text("displayName"),
            Column::text("theme"),
        ])),
    ),
]);

/// <https://learn.microsoft.com/graph/api/schedule-list-shifts>
pub(super) static SHIFTS: Table = Table {
    name: "shifts",
    description: "The shifts of teams' schedules: as shared, and as drafted.",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::text("userId"),
        Column::text("schedulingGroupId"),
        Column::text("createdDateTime"),
        Column::text("lastModifiedDateTime"),
        Column::json("createdBy"),
        Column::json("lastModifiedBy"),
        Column::bool("isStagedForDeletion"),
        Column::new("sharedShift", SHIFT),
        Column::new("draftShift", SHIFT),
    ],
    ..Table::list(&List {
        prerequisites: NO_SCHEDULE,
        ..List::new(Parent::Team, &Endpoint::get("/teams/{id}/schedule/shifts", RateClass::Other, "Schedule.Read.All"))
    })
};
