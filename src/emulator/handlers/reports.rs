//! Usage reports: Graph redirects to a signed link on another host, which serves the CSV file without a token.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::token::{seal, unseal};
use crate::tenant::clock::iso;
use crate::tenant::ids::draw;
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;
use crate::tenant::visibility::user_is_listed;

/// Where the files are. The path is outside of Graph.
pub const DOWNLOADS: &str = "/reports/download/";
const SCOPE: &str = "report";
/// "A few minutes."
const LINK_LIFE_MS: i64 = 180_000;

const DEVICES: [(&str, &str); 8] = [
    ("Used Web", "usedWeb"),
    ("Used Windows Phone", "usedWindowsPhone"),
    ("Used iOS", "usedIOS"),
    ("Used Mac", "usedMac"),
    ("Used Android Phone", "usedAndroidPhone"),
    ("Used Windows", "usedWindows"),
    ("Used Chrome OS", "usedChromeOS"),
    ("Used Linux", "usedLinux"),
];

/// The report's rows, as its JSON form would give them.
pub fn rows(tenant: &Tenant, knobs: &Knobs, now_ms: i64, period: &str) -> Vec<Value> {
    let listed = (0..tenant.users.len()).filter(|&user| user_is_listed(tenant, knobs, user));
    listed
        .map(|user| {
            let user = &tenant.users[user];
            let devices = draw(&user.id, "devices");
            let mut row = json!({
                "reportRefreshDate": iso(now_ms)[..10],
                "userId": user.id,
                "userPrincipalName": user.properties["userPrincipalName"],
                "lastActivityDate": if devices.is_multiple_of(3) { Value::Null } else { json!("2026-01-10") },
                "isDeleted": false,
                "deletedDate": null,
                "isLicensed": true,
                "reportPeriod": period.trim_start_matches('D'),
            });
            for (at, (_, name)) in DEVICES.iter().enumerate() {
                row[*name] = json!(devices >> at & 1 == 1);
            }
            row
        })
        .collect()
}

fn csv(rows: &[Value]) -> String {
    let before =
        "Report Refresh Date,User Id,User Principal Name,Last Activity Date,Is Deleted,Deleted Date,Is Licensed";
    let devices = DEVICES.map(|(header, _)| header).join(",");
    let mut text = format!("\u{feff}{before},{devices},Report Period\r\n");
    for row in rows {
        let plain = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let truth = |name: &str| if row[name] == true { "True" } else { "False" }.to_owned();
        let mut fields = vec![
            plain("reportRefreshDate"),
            plain("userId"),
            format!("\"{}\"", plain("userPrincipalName").replace('"', "\"\"")),
            plain("lastActivityDate"),
            truth("isDeleted"),
            plain("deletedDate"),
            truth("isLicensed"),
        ];
        fields.extend(DEVICES.map(|(_, name)| if row[name] == true { "Yes" } else { "No" }.to_owned()));
        fields.push(plain("reportPeriod"));
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

/// The host by another name: a client takes it for another host.
fn other_host(base: &str) -> String {
    base.replacen("127.0.0.1", "localhost", 1)
}

pub fn device_usage(call: &Call<'_>) -> Outcome {
    call.query.only(&[])?;
    let period = call.id(0).rsplit_once("(period='").and_then(|(_, rest)| rest.strip_suffix("')")).unwrap_or_default();
    if !["D7", "D30", "D90", "D180"].contains(&period) {
        return Err(GraphError::bad_request("Invalid period value specified."));
    }
    let link = format!("{}{DOWNLOADS}{}", other_host(&call.request.base), seal(SCOPE, call.now_ms, period));
    Ok(Response {
        status: 302,
        headers: vec![("Location", link), ("Content-Type", "text/plain".to_owned())],
        body: "".into(),
    })
}

/// The file behind a signed link. Like other stores of signed links it takes no second credential.
pub fn download(tenant: &Tenant, knobs: &Knobs, now_ms: i64, path: &str, authorization: Option<&str>) -> Response {
    let refused = |status: u16, why: &str| Response { status, headers: Vec::new(), body: why.to_owned().into() };
    if authorization.is_some() {
        return refused(400, "Only one way to authenticate is allowed.");
    }
    let Ok(token) = unseal(SCOPE, path.trim_start_matches(DOWNLOADS)) else {
        return refused(403, "The signature does not match.");
    };
    if now_ms - token.issued_ms > LINK_LIFE_MS {
        return refused(403, "The link has expired.");
    }
    let body = csv(&rows(tenant, knobs, now_ms, &token.position));
    Response { status: 200, headers: vec![("Content-Type", "application/octet-stream".to_owned())], body: body.into() }
}
