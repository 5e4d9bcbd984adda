//! Files written into a drive by their path, at most 250 MB each.

use serde_json::json;

use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::ids::id_of;
use crate::write::request::answer;

const MOST_BYTES: usize = 250 * 1024 * 1024;

/// `PUT /drives/{id}/root:/{folder}/{name}:/content`: what is there already is replaced.
pub fn upload(call: &mut WriteCall<'_>) -> Outcome {
    let (drive, folder) = (call.id(0).to_owned(), call.id(1).to_owned());
    let Some(name) = call.id(2).strip_suffix(':').map(str::to_owned) else {
        return Err(GraphError::not_found("itemNotFound"));
    };
    if !call.knobs.drives.contains(&drive) {
        return Err(GraphError::new(404, "itemNotFound", "The resource could not be found."));
    }
    if call.request.body.len() > MOST_BYTES {
        return Err(GraphError::new(413, "requestEntityTooLarge", "The request is too large."));
    }
    (call.rate)()?;
    let bytes = call.request.body.clone();
    let size = bytes.len();
    let path = format!("{folder}/{name}");
    let is_new = call.tenant.files.insert((drive.clone(), path.clone()), bytes).is_none();
    let web = format!("https://contoso.sharepoint.com/sites/archive/Shared%20Documents/{}", path.replace(' ', "%20"));
    Ok(answer(
        if is_new { 201 } else { 200 },
        &json!({
            "@odata.context": format!("{}/v1.0/$metadata#drives('{drive}')/root/$entity", call.request.base),
            "id": id_of("file", &format!("{drive}/{path}")),
            "name": name,
            "size": size,
            "webUrl": web,
            "file": {"mimeType": "application/octet-stream"},
            "parentReference": {"driveId": drive, "path": format!("/drives/{drive}/root:/{folder}")},
        }),
    ))
}
