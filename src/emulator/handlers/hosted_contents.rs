//! Hosted contents of messages: lists without bytes, and the bytes of one.

use serde_json::json;

use crate::handlers::call::Call;
use crate::handlers::messages;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::model::{Message, Thread};

/// The smallest GIF there is.
pub const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// A message by its id; hosted contents belong to roots and replies alike.
fn message<'a>(thread: &'a Thread, id: &str) -> Result<&'a Message, GraphError> {
    let id = id.parse().ok();
    id.and_then(|id| thread.get(id)).ok_or_else(|| GraphError::not_found("NotFound"))
}

fn chat_message<'a>(call: &Call<'a>) -> Result<&'a Message, GraphError> {
    let chat = call.tenant.chat_index.get(call.id(0)).ok_or_else(|| GraphError::not_found("NotFound"))?;
    message(&call.tenant.chats[*chat].thread, call.id(1))
}

/// Lists give neither bytes nor content type.
fn list(call: &Call<'_>, context: &str, message: &Message) -> Response {
    let mut items = Items::new();
    let text = String::from_utf8_lossy(&message.json);
    for part in text.split("/hostedContents/").skip(1) {
        let id = part.split("/$value").next().unwrap_or_default();
        items.push_value(&json!({"id": id, "contentBytes": null, "contentType": null}));
    }
    finish(call, context, items, true, End::Last)
}

fn value(message: &Message, id: &str) -> Outcome {
    let wanted = format!("/hostedContents/{id}/$value");
    if !String::from_utf8_lossy(&message.json).contains(&wanted) {
        return Err(GraphError::not_found("NotFound"));
    }
    let mut response = Response::ok(GIF);
    response.headers.push(("Content-Type", "image/gif".to_owned()));
    Ok(response)
}

pub fn list_in_channel(call: &Call<'_>) -> Outcome {
    let (team, channel) = call.channel()?;
    let message = message(&channel.thread, call.id(2))?;
    let context = messages::context(team, channel, &format!("messages('{}')/hostedContents", message.id));
    Ok(list(call, &context, message))
}

pub fn value_in_channel(call: &Call<'_>) -> Outcome {
    let (_, channel) = call.channel()?;
    value(message(&channel.thread, call.id(2))?, call.id(3))
}

pub fn list_in_chat(call: &Call<'_>) -> Outcome {
    let context = format!("chats('{}')/messages('{}')/hostedContents", call.id(0), call.id(1));
    Ok(list(call, &context, chat_message(call)?))
}

pub fn value_in_chat(call: &Call<'_>) -> Outcome {
    value(chat_message(call)?, call.id(2))
}
