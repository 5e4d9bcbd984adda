//! The chats of a user.

use super::{id, named, sorted};
use crate::context::ReadContext;
use crate::error_policy::refuses_expand;
use crate::page_sizes;
use crate::state::work_item::Child;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::{Empty, Fields};

/// <https://learn.microsoft.com/graph/api/chat-list>
pub fn request(context: &ReadContext, user: &str) -> Request {
    Request::new(&endpoint::USER_CHATS, &["users", user, "chats"], format!("user {user}"))
        .user(user)
        .query("$top", page_sizes::top(context.options.top, page_sizes::CHATS))
}

/// The ids of a user's chats of the types that the options ask for, sorted.
pub async fn ids(context: &ReadContext, user: &str) -> Result<Vec<String>> {
    list(context, &request(context, user), id).await.map(sorted)
}

/// The chats of a user that the options name, or all of the types they ask for, sorted.
pub async fn of_user(context: &ReadContext, user: &str) -> Result<Vec<Child>> {
    if !context.options.chat_ids.is_empty() {
        let ids = named(&context.options.chat_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let time = |item: &Fields<'_>, name: &str| timestamp::known(&item.text(name)?);
    let read = |chat: &Fields<'_>| {
        // Without a preview it can't be told whether something was said, so that the chat counts as active.
        let said = chat.object("lastMessagePreview").and_then(|preview| time(&preview, "createdDateTime"));
        let active = said.max(said.and(time(chat, "lastUpdatedDateTime")));
        Some(Child { id: chat.id("id")?, is_special: false, active })
    };
    let request = request(context, user);
    let mut chats = match list(context, &request.clone().query("$expand", "lastMessagePreview"), &read).await {
        Err(error) if refuses_expand(&error) => {
            let chats = list(context, &request, &read).await?;
            context.report().note(
                "the slow way: lists of chats are refused with $expand=lastMessagePreview, so that every chat is asked for \
                 its changes",
            );
            chats
        }
        chats => chats?,
    };
    chats.sort_by(|a, b| a.id.cmp(&b.id));
    chats.dedup_by(|a, b| a.id == b.id);
    Ok(chats)
}

/// What `read` makes of the listed chats that are of the types the options ask for.
async fn list<T>(context: &ReadContext, request: &Request, read: impl Fn(&Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
    let options = &context.options;
    let types: Vec<String> = options.chat_types.iter().map(|kind| kind.as_str().to_owned()).collect();
    let wanted = |chat: &Fields<'_>| {
        let is_wanted = options.takes_all_chats() || chat.text("chatType").is_none_or(|kind| types.contains(&kind));
        Some((is_wanted, read(chat)?))
    };
    let chats = context.list(request, Empty::Usual, wanted).await?;
    Ok(chats.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, chat)| chat).collect())
}
