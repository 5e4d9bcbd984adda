//! Usage reports, which Microsoft 365 keeps as CSV files.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, Reading, Report, Table};

/// <https://learn.microsoft.com/graph/api/reportroot-getteamsdeviceusageuserdetail>. Names are concealed unless the tenant's
/// report settings show them. In the global cloud only.
pub(super) static TEAM_DEVICE_USAGE_REPORT: Table = Table {
    name: "team_device_usage_report",
    description: "On which devices each person used Teams in the last days; names as the tenant's report settings show them.",
    columns: &[
        Column::text("userPrincipalName"),
        Column::text("userId"),
        Column::text("reportRefreshDate"),
        Column::text("reportPeriod"),
        Column::text("lastActivityDate"),
        Column::bool("isDeleted"),
        Column::text("deletedDate"),
        Column::bool("isLicensed"),
        Column::bool("usedWeb"),
        Column::bool("usedWindowsPhone"),
        Column::bool("usedIOS"),
        Column::bool("usedMac"),
        Column::bool("usedAndroidPhone"),
        Column::bool("usedWindows"),
        Column::bool("usedChromeOS"),
        Column::bool("usedLinux"),
    ],
    keys: &["userPrincipalName"],
    ..Table::of(Reading::Report(&Report {
        table: "team_device_usage_report",
        function: "getTeamsDeviceUsageUserDetail",
        endpoint: &Endpoint::get("/reports/getTeamsDeviceUsageUserDetail", RateClass::Other, "Reports.Read.All"),
    }))
};
