//! Usage reports, which Microsoft 365 keeps as CSV files.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, Reading, Report, Table};

/// <https://learn.microsoft.com/graph/api/reportroot-getteamsdeviceusageuserdetail>. Names are concealed unless the tenant's
/// report settings show them. In the global cloud only.
pub(super) static TEAM_DEVICE_USAGE_REPORT: Table = Table {
    name: "team_device_usage_report",
    description: "On which devices each person used Teams in the last days; names as the tenant's report settings show them.",
    columns: &[
        Column::text(
            "userPrincipalName",
            "The name that the person signs in with, or a hash where the tenant conceals names.",
        ),
        Column::text("userId", "The Entra ID object id of the person, or a hash where the tenant conceals names."),
        Column::text("reportRefreshDate", "The day up to which the report has data, as an ISO 8601 date."),
        Column::text("reportPeriod", "How far the report reaches back.").in_unit("days"),
        Column::text("lastActivityDate", "The last day on which the person used Teams, as an ISO 8601 date."),
        Column::bool("isDeleted", "Whether the account was deleted."),
        Column::text("deletedDate", "The day on which the account was deleted, as an ISO 8601 date."),
        Column::bool("isLicensed", "Whether the person has a Teams licence."),
        Column::bool("usedWeb", "Whether the person used Teams in a browser."),
        Column::bool("usedWindowsPhone", "Whether the person used Teams on a Windows phone."),
        Column::bool("usedIOS", "Whether the person used Teams on iOS."),
        Column::bool("usedMac", "Whether the person used Teams on a Mac."),
        Column::bool("usedAndroidPhone", "Whether the person used Teams on an Android phone."),
        Column::bool("usedWindows", "Whether the person used Teams on Windows."),
        Column::bool("usedChromeOS", "Whether the person used Teams on ChromeOS."),
        Column::bool("usedLinux", "Whether the person used Teams on Linux."),
    ],
    keys: &["userPrincipalName"],
    ..Table::of(Reading::Report(&Report {
        table: "team_device_usage_report",
        function: "getTeamsDeviceUsageUserDetail",
        endpoint: &Endpoint::get("/reports/getTeamsDeviceUsageUserDetail", RateClass::Other, "Reports.Read.All"),
    }))
};
