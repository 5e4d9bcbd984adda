//! Inline images whose address is not that of their own message, written once.

use crate::generate::variants::{HOST, IMAGE};
use crate::tenant::config::ImageAddress;
use crate::tenant::model::{Message, Tenant, Thread};

/// An image's bytes: the conversation and message that they live with, and their id.
type Image = (String, i64, String);

/// Gives the inline images of all messages another address, and notes where their bytes are.
pub fn readdress(tenant: &mut Tenant, kind: ImageAddress) {
    let chats: Vec<(String, i64)> = tenant
        .chats
        .iter()
        .filter(|chat| !chat.unlisted)
        .filter_map(|chat| Some((chat.id.clone(), chat.thread.messages.first()?.id)))
        .collect();
    let mut images = Vec::new();
    for team in &mut tenant.teams {
        for channel in &mut team.channels {
            let base = format!("{HOST}/teams/{}/channels/{}/messages", team.id, channel.id);
            let path = |id: &str| format!("{HOST}/teams/{}/channels/{id}/messages", team.id);
            images.extend(in_thread(&mut channel.thread, &channel.id, &base, path, kind, &chats));
        }
    }
    for chat in &mut tenant.chats {
        let base = chat_base(&chat.id);
        images.extend(in_thread(&mut chat.thread, &chat.id, &base, chat_base, kind, &chats));
    }
    tenant.images.extend(images);
}

fn chat_base(id: &str) -> String {
    format!("{HOST}/chats/{id}/messages")
}

/// A path segment, percent-encoded twice.
fn twice(text: &str) -> String {
    let once: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    url::form_urlencoded::byte_serialize(once.as_bytes()).collect()
}

fn in_thread(
    thread: &mut Thread,
    conversation: &str,
    base: &str,
    path: impl Fn(&str) -> String,
    kind: ImageAddress,
    chats: &[(String, i64)],
) -> Vec<Image> {
    let roots: Vec<i64> =
        thread.messages.iter().filter(|message| message.reply_to.is_none()).map(|root| root.id).take(2).collect();
    let mut images = Vec::new();
    for message in &mut thread.messages {
        let (id, image) = (message.id, IMAGE.to_owned());
        let place = message.reply_to.map_or_else(|| id.to_string(), |root| format!("{root}/replies/{id}"));
        let (address, there) = match kind {
            ImageAddress::Own => continue,
            ImageAddress::OtherMessage => {
                let Some(&other) = roots.iter().find(|root| **root != id) else { continue };
                (format!("{base}/{other}/hostedContents/{IMAGE}"), (conversation.to_owned(), other, image))
            }
            ImageAddress::OtherChat => {
                let Some((chat, first)) = chats.iter().find(|(chat, _)| chat != conversation) else { continue };
                (format!("{}/{first}/hostedContents/{IMAGE}", chat_base(chat)), (chat.clone(), *first, image))
            }
            ImageAddress::EncodedTwice => {
                let padded = format!("{IMAGE}=");
                let address = format!("{}/{place}/hostedContents/{}", path(&twice(conversation)), twice(&padded));
                (address, (conversation.to_owned(), id, padded))
            }
        };
        if replace(message, &format!("{base}/{place}/hostedContents/{IMAGE}/"), &format!("{address}/")) {
            images.push(there);
        }
    }
    images
}

/// Whether the message held the text.
fn replace(message: &mut Message, from: &str, to: &str) -> bool {
    let text = String::from_utf8_lossy(&message.json);
    let replaced = text.replace(from, to);
    let is_other = replaced != *text;
    if is_other {
        message.json = replaced.into_bytes().into();
    }
    is_other
}
