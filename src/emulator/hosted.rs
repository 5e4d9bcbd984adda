//! Hosted contents of chat messages: the list without bytes, and the bytes of one.

use super::answer::{Answer, Outcome};
use super::call::Call;
use super::errors::Refusal;
use super::page::{End, Items, finish};
use super::tenant::Message;

/// The smallest GIF there is.
pub const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

fn message<'a>(call: &Call<'a>) -> Result<&'a Message, Refusal> {
    let chat = call.tenant.chat_index.get(call.id(0)).ok_or_else(|| Refusal::not_found("NotFound"))?;
    let id = call.id(1).parse().ok();
    let found = id.and_then(|id| call.tenant.chats[*chat].thread.get(id));
    found.ok_or_else(|| Refusal::not_found("NotFound"))
}

/// Lists give neither bytes nor content type.
pub fn list(call: &Call<'_>) -> Outcome {
    let mut items = Items::new();
    let text = String::from_utf8_lossy(&message(call)?.json).into_owned();
    for part in text.split("/hostedContents/").skip(1) {
        let id = part.split("/$value").next().unwrap_or_default();
        items.push_value(&serde_json::json!({"id": id, "contentBytes": null, "contentType": null}));
    }
    let context = format!("chats('{}')/messages('{}')/hostedContents", call.id(0), call.id(1));
    Ok(finish(call, &context, items, true, End::Last))
}

pub fn value(call: &Call<'_>) -> Outcome {
    let wanted = format!("/hostedContents/{}/$value", call.id(2));
    if !String::from_utf8_lossy(&message(call)?.json).contains(&wanted) {
        return Err(Refusal::not_found("NotFound"));
    }
    let mut answer = Answer::ok(GIF);
    answer.headers.push(("Content-Type", "image/gif".to_owned()));
    Ok(answer)
}
