//! Hosted contents of messages: lists without bytes, and the bytes of one.

use serde_json::json;

use crate::handlers::call::Call;
use crate::handlers::messages;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::model::{Message, Tenant, Thread};

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

/// How the address of a content begins that lives with the message.
fn own(message: &Message) -> String {
    format!("/{}/hostedContents/", message.id)
}

/// Lists give neither bytes nor content type.
fn list(call: &Call<'_>, context: &str, conversation: &str, message: &Message) -> Response {
    let text = String::from_utf8_lossy(&message.json);
    let own = own(message);
    let named = text.split(&own).skip(1).map(|part| part.split("/$value").next().unwrap_or_default());
    // An id that is encoded is none; what it stands for is among the images.
    let named = named.filter(|id| !id.contains('%'));
    let images = call.tenant.images.iter();
    let here = images.filter(|(chat, id, _)| chat == conversation && *id == message.id);
    let mut items = Items::new();
    for id in named.chain(here.map(|(.., id)| id.as_str())) {
        items.push_value(&json!({"id": id, "contentBytes": null, "contentType": null}));
    }
    finish(call, context, items, true, End::Last)
}

fn value(tenant: &Tenant, conversation: &str, message: &Message, id: &str) -> Outcome {
    if let Some(upload) = tenant.uploads.get(&(conversation.to_owned(), message.id, id.to_owned())) {
        let mut response = Response::ok(upload.bytes.clone());
        response.headers.push(("Content-Type", upload.content_type.clone()));
        return Ok(response);
    }
    let wanted = format!("{}{id}/$value", own(message));
    let is_named = String::from_utf8_lossy(&message.json).contains(&wanted);
    if !is_named && !tenant.images.contains(&(conversation.to_owned(), message.id, id.to_owned())) {
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
    Ok(list(call, &context, &channel.id, message))
}

pub fn value_in_channel(call: &Call<'_>) -> Outcome {
    let (_, channel) = call.channel()?;
    value(call.tenant, &channel.id, message(&channel.thread, call.id(2))?, call.id(3))
}

pub fn list_in_chat(call: &Call<'_>) -> Outcome {
    let context = format!("chats('{}')/messages('{}')/hostedContents", call.id(0), call.id(1));
    Ok(list(call, &context, call.id(0), chat_message(call)?))
}

pub fn value_in_chat(call: &Call<'_>) -> Outcome {
    value(call.tenant, call.id(0), chat_message(call)?, call.id(2))
}
