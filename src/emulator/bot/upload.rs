//! Files that people allow the bot to upload: pieces with a range, put to an address that is the permission itself
//! (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4>).

use bytes::{Bytes, BytesMut};
use serde_json::json;

use crate::http::request::Request;
use crate::http::response::Response;
use crate::tenant::model::Tenant;

/// `/emulator/upload/{id}`.
pub const SESSIONS: &str = "/emulator/upload/";
/// What the emulator calls the drive that they lie in.
const DRIVE: &str = "uploads";

/// First byte, last byte and size of `bytes 0-9/10`.
fn range(text: &str) -> Option<(usize, usize, usize)> {
    let (span, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, size.parse().ok()?))
}

pub fn put(tenant: &mut Tenant, request: &Request) -> Response {
    let answer = |status, body: serde_json::Value| Response { status, ..Response::ok(body.to_string()) };
    // The address is signed by itself: a token of the bot has no business here.
    if request.authorization.is_some() || request.method != "PUT" {
        return answer(401, json!({"error": {"code": "unauthenticated"}}));
    }
    let Some((first, last, size)) = request.content_range.as_deref().and_then(range) else {
        return answer(400, json!({"error": {"code": "invalidRequest", "message": "Content-Range is required."}}));
    };
    let key = (DRIVE.to_owned(), request.path.trim_start_matches(SESSIONS).to_owned());
    let there = tenant.files.get(&key).cloned().unwrap_or_default();
    if first != there.len() || last + 1 - first != request.body.len() || last >= size {
        return answer(416, json!({"error": {"code": "invalidRange"}}));
    }
    let mut whole = BytesMut::from(&there[..]);
    whole.extend_from_slice(&request.body);
    tenant.files.insert(key, Bytes::from(whole));
    if last + 1 == size {
        return answer(201, json!({"size": size}));
    }
    answer(202, json!({"nextExpectedRanges": [format!("{}-", last + 1)]}))
}
