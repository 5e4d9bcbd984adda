//! Schedules of teams and the shifts in them. Reading needs no `MS-APP-ACTS-AS` header any more:
//! <https://devblogs.microsoft.com/microsoft365dev/deprecation-of-ms-app-acts-as-header-in-shifts-management-microsoft-graph-apis/>.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::TEAM_ID;
use crate::schema::{Column, ColumnType, List, Parent, Shape, Table};

const NO_SCHEDULE: &str = "A team has a schedule once Shifts was set up for it";

/// <https://learn.microsoft.com/graph/api/schedule-get>
pub(super) static SCHEDULES: Table = Table {
    name: "schedules",
    description: "The schedules of teams and what they allow; teams without one have no row.",
    columns: &[
        TEAM_ID,
        Column::text("id", "The id of the schedule."),
        Column::bool("enabled", "Whether the schedule is in use."),
        Column::text("timeZone", "The schedule's time zone, such as America/Chicago."),
        Column::text("provisionStatus", "How setting it up went: notStarted, running, completed or failed."),
        Column::text("provisionStatusCode", "Why setting it up failed."),
        Column::text("startDayOfWeek", "The day with which a week begins."),
        Column::bool("timeClockEnabled", "Whether people can clock in and out."),
        Column::bool("openShiftsEnabled", "Whether there are open shifts."),
        Column::bool("swapShiftsRequestsEnabled", "Whether people can ask to swap shifts."),
        Column::bool("offerShiftRequestsEnabled", "Whether people can offer their shifts to others."),
        Column::bool("timeOffRequestsEnabled", "Whether people can ask for time off."),
        Column::texts("workforceIntegrationIds", "The ids of the integrations that shifts go to."),
        Column::json("timeClockSettings", "Where people can clock in."),
    ],
    ..Table::list(&List {
        shape: Shape::Object,
        prerequisites: NO_SCHEDULE,
        ..List::new(Parent::Team, &Endpoint::get("/teams/{id}/schedule", RateClass::Other, "Schedule.Read.All"))
    })
};

const SHIFT: ColumnType = ColumnType::Struct(&[
    Column::text("displayName", "What the shift is called."),
    Column::text("notes", "What people should know of the shift."),
    Column::time("startDateTime", "When the shift begins."),
    Column::time("endDateTime", "When the shift ends."),
    Column::text("theme", "The shift's colour."),
    Column::new(
        "activities",
        ColumnType::List(&ColumnType::Struct(&[
            Column::bool("isPaid", "Whether the activity is paid."),
            Column::time("startDateTime", "When the activity begins."),
            Column::time("endDateTime", "When the activity ends."),
            Column::text("code", "The customer's own code for the activity."),
            Column::text("displayName", "What the activity is called."),
            Column::text("theme", "The activity's colour."),
        ])),
        "What is done within the shift.",
    ),
]);

/// <https://learn.microsoft.com/graph/api/schedule-list-shifts>
pub(super) static SHIFTS: Table = Table {
    name: "shifts",
    description: "The shifts of teams' schedules: as shared, and as drafted.",
    columns: &[
        TEAM_ID,
        Column::text("id", "The id of the shift."),
        Column::text("userId", "The Entra ID object id of whose shift it is."),
        Column::text("schedulingGroupId", "The id of the scheduling group."),
        Column::time("createdDateTime", "When the shift was made."),
        Column::time("lastModifiedDateTime", "When the shift last changed."),
        Column::json("createdBy", "Who made the shift, as an identity set."),
        Column::json("lastModifiedBy", "Who changed the shift last, as an identity set."),
        Column::bool("isStagedForDeletion", "Whether the shift goes when the schedule is shared next."),
        Column::new("sharedShift", SHIFT, "The shift as everyone sees it."),
        Column::new("draftShift", SHIFT, "The shift as managers are changing it."),
    ],
    ..Table::list(&List {
        prerequisites: NO_SCHEDULE,
        ..List::new(Parent::Team, &Endpoint::get("/teams/{id}/schedule/shifts", RateClass::Other, "Schedule.Read.All"))
    })
};
