//! Imported messages and replies.

use serde_json::{Value, json};

use crate::generate::message::{Draft, Place as Address, message, user_identity};
use crate::generate::variants::HOST;
use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::model::Sender;
use crate::write::images;
use crate::write::migration::running;
use crate::write::place::Place;
use crate::write::request::{answer, body, time};

/// Graph takes no larger request.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;
const MOST_REACTIONS: usize = 250;

/// Application permissions do not let anybody post, except for imports.
fn import_only() -> GraphError {
    GraphError::new(
        401,
        "Unauthorized",
        "Message POST is allowed in application-only context only for import purposes. Refer to https://docs.microsoft.com/microsoftteams/platform/graph-api/import-messages/import-external-messages-to-teams for more details.",
    )
}

fn too_large() -> GraphError {
    GraphError::new(413, "RequestEntityTooLarge", "Request Entity too large")
}

pub fn post_to_channel(call: &mut WriteCall<'_>) -> Outcome {
    post(call, Place::channel(call)?, None)
}

pub fn reply_in_channel(call: &mut WriteCall<'_>) -> Outcome {
    let root = call.id(2);
    post(call, Place::channel(call)?, Some(root))
}

pub fn post_to_chat(call: &mut WriteCall<'_>) -> Outcome {
    post(call, Place::chat(call)?, None)
}

fn post(call: &mut WriteCall<'_>, place: Place, root: Option<&str>) -> Outcome {
    let id = place.id(call);
    let Some(migration) = running(call.tenant, &id) else {
        return Err(match place {
            Place::Channel(..) => import_only(),
            Place::Chat(_) => GraphError::of_status(502),
        });
    };
    let floor_ms = migration.floor_ms;
    if migration.app != call.app {
        return Err(GraphError::new(
            400,
            "InvalidRequestProperties",
            "InvalidRequestProperties-Only 1 application is allowed to operate within an import session",
        ));
    }
    if call.request.body.len() > REQUEST_BYTES {
        return Err(too_large());
    }
    let body = body(call)?;
    let content = body["body"]["content"].as_str().ok_or_else(|| GraphError::bad_request("Missing body content"))?;
    if body["from"].is_null() || body["createdDateTime"].is_null() {
        return Err(import_only());
    }
    if size_without_images(call.request.body.len(), &body) > call.knobs.post_bytes {
        return Err(too_large());
    }
    let images = images::read(&body)?;
    if !images.is_empty() && call.knobs.images_refused {
        return Err(GraphError::new(403, "Forbidden", "UnknownError"));
    }
    let root = root.map(|root| root_id(call, place, root)).transpose()?;
    let sender = author(call, &body["from"])?;
    let mentions = mentions(call, &body, content)?;
    let reactions = reactions(call, &body)?;
    let created_ms = time(&body["createdDateTime"], "createdDateTime")?;
    if created_ms > call.now_ms {
        return Err(GraphError::bad_request("createdDateTime cannot be set to future."));
    }
    if created_ms <= floor_ms {
        return Err(GraphError::bad_request("createdDateTime must be later than that of the conversation."));
    }
    if running(call.tenant, &id).is_some_and(|migration| migration.taken.contains(&created_ms)) {
        return Err(GraphError::new(409, "Conflict", "Microsoft.SkypeSpaces.MiddleTier.Store.StoreException"));
    }
    (call.rate)()?;

    if let Some(migration) = running(call.tenant, &id) {
        migration.taken.insert(created_ms);
    }
    let seq = call.tenant.next_seq();
    // The id follows the time of arrival, not the one that the message is given.
    let last = place.thread(call).messages.last().map_or(0, |message| message.id);
    let own = call.now_ms.max(last + 1);
    let (content, uploads) = images::settle(content, images, &address(call, place, root, own));
    let mut draft = Draft::new(own, root);
    draft.created_ms = created_ms;
    draft.modified_ms = created_ms;
    draft.subject = body["subject"].as_str().map(str::to_owned);
    draft.importance = match body["importance"].as_str() {
        Some("high") => "high",
        Some("urgent") => "urgent",
        _ => "normal",
    };
    draft.sender = Sender::User(sender);
    let name = body["from"]["user"]["displayName"].as_str();
    draft.from = user_identity(&call.tenant.users[sender].id, name.or(Some(call.tenant.user_name(sender))));
    draft.content_type = if body["body"]["contentType"] == "html" { "html" } else { "text" };
    draft.content = Some(content);
    draft.mentions = mentions;
    draft.reactions = reactions;
    draft.attachments = attachments(&body);
    let tenant = &*call.tenant;
    let shown = match place {
        Place::Channel(team, channel) => {
            let team = &tenant.teams[team];
            let place = Address::Channel { tenant: &tenant.id, team: &team.id, channel: &team.channels[channel].id };
            message(&draft, place, seq)
        }
        Place::Chat(chat) => message(&draft, Address::Chat { chat: &tenant.chats[chat].id }, seq),
    };
    let mut response: Value = serde_json::from_slice(&shown.json).unwrap_or_default();
    response["lastModifiedDateTime"] = Value::Null;
    response["@odata.context"] = json!(format!("{}/v1.0/$metadata#messages/$entity", call.request.base));
    for (content_id, upload) in uploads {
        call.tenant.uploads.insert((id.clone(), own, content_id), upload);
    }
    place.thread(call).push(shown);
    Ok(answer(201, &response))
}

/// Bytes of a request without those of its images.
fn size_without_images(whole: usize, body: &Value) -> usize {
    let images = body["hostedContents"].as_array().map_or(&[][..], Vec::as_slice);
    let bytes = images.iter().filter_map(|image| image["contentBytes"].as_str()).map(str::len).sum::<usize>();
    whole.saturating_sub(bytes)
}

fn root_id(call: &mut WriteCall<'_>, place: Place, root: &str) -> Result<i64, GraphError> {
    let id: i64 = root.parse().map_err(|_| GraphError::not_found("NotFound"))?;
    let found = place.thread(call).get(id).filter(|message| message.reply_to.is_none());
    found.map(|message| message.id).ok_or_else(|| GraphError::not_found("NotFound"))
}

/// A person of this tenant, by object id.
fn person(call: &WriteCall<'_>, identity: &Value) -> Result<usize, GraphError> {
    let user = &identity["user"];
    let kind = user["userIdentityType"].as_str().unwrap_or("aadUser");
    let id = user["id"].as_str().filter(|id| id.len() == 36 && id.split('-').count() == 5 && kind == "aadUser");
    // Users saw 400 without a reason for an e-mail address.
    let id = id.ok_or_else(|| GraphError::bad_request(""))?;
    let found = call.tenant.user_index.get(id).copied();
    let found = found.filter(|&user| call.tenant.users[user].removal.is_none());
    found.ok_or_else(|| GraphError::bad_request(format!("User with id {id} could not be found in the tenant.")))
}

fn author(call: &WriteCall<'_>, from: &Value) -> Result<usize, GraphError> {
    let author = person(call, from)?;
    if call.knobs.refused_author_ids.contains(&call.tenant.users[author].id) {
        return Err(GraphError::bad_request(""));
    }
    Ok(author)
}

fn mentions(call: &WriteCall<'_>, body: &Value, content: &str) -> Result<Vec<Value>, GraphError> {
    let mentions = body["mentions"].as_array().cloned().unwrap_or_default();
    if !mentions.is_empty() && (call.knobs.mentions_refused || body["body"]["contentType"] != "html") {
        return Err(GraphError::bad_request("Mentions need a body of type html."));
    }
    let mut shown = Vec::new();
    for mention in mentions {
        let tag = format!("<at id=\"{}\">", mention["id"]);
        let user = person(call, &mention["mentioned"])?;
        if !content.contains(&tag) {
            return Err(GraphError::bad_request("Mentions do not match the at elements of the body."));
        }
        let name = mention["mentioned"]["user"]["displayName"].as_str().or(mention["mentionText"].as_str());
        let mut mentioned = user_identity(&call.tenant.users[user].id, name);
        mentioned["conversation"] = Value::Null;
        mentioned["tag"] = Value::Null;
        shown.push(json!({"id": mention["id"], "mentionText": mention["mentionText"], "mentioned": mentioned}));
    }
    Ok(shown)
}

fn reactions(call: &WriteCall<'_>, body: &Value) -> Result<Vec<Value>, GraphError> {
    let reactions = body["reactions"].as_array().cloned().unwrap_or_default();
    let refused = !reactions.is_empty() && call.knobs.reactions_refused || reactions.len() > MOST_REACTIONS;
    if refused {
        return Err(GraphError::bad_request("Invalid reactions."));
    }
    let mut shown = Vec::new();
    for reaction in reactions {
        let id = reaction["user"]["user"]["id"].as_str().unwrap_or_default();
        let is_whole = reaction["reactionType"].is_string() && reaction["createdDateTime"].is_string();
        if !is_whole || call.tenant.user(id).is_none() {
            return Err(GraphError::bad_request("Invalid reactions."));
        }
        shown.push(json!({
            "reactionType": reaction["reactionType"],
            "displayName": null,
            "reactionContentUrl": null,
            "createdDateTime": reaction["createdDateTime"],
            "user": user_identity(id, None),
        }));
    }
    Ok(shown)
}

/// Attachments with every key that Graph answers.
fn attachments(body: &Value) -> Vec<Value> {
    let attachments = body["attachments"].as_array().map_or(&[][..], Vec::as_slice);
    let shown = attachments.iter().map(|attachment| {
        json!({
            "id": attachment["id"], "contentType": attachment["contentType"], "contentUrl": attachment["contentUrl"],
            "content": attachment["content"], "name": attachment["name"], "thumbnailUrl": null, "teamsAppId": null,
        })
    });
    shown.collect()
}

/// Where Graph finds the message.
fn address(call: &WriteCall<'_>, place: Place, root: Option<i64>, id: i64) -> String {
    match place {
        Place::Channel(team, channel) => {
            let team = &call.tenant.teams[team];
            let messages = format!("{HOST}/teams/{}/channels/{}/messages", team.id, team.channels[channel].id);
            match root {
                Some(root) => format!("{messages}/{root}/replies/{id}"),
                None => format!("{messages}/{id}"),
            }
        }
        Place::Chat(chat) => format!("{HOST}/chats/{}/messages/{id}", call.tenant.chats[chat].id),
    }
}
