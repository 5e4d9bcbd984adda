//! A post as it is sent now: the request's body, which remedies change, and what is remembered of what was sent.

use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::compose::{iso, originally_by};
use super::html::{canonical, drop_mentions, replace_images};
use super::journal::Entry;
use super::spool::Item;

/// The image of a post, with its bytes.
pub struct Image {
    pub id: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// A post as it is sent now; remedies change it.
pub struct Draft {
    pub body: Value,
    pub images: Vec<Image>,
    links: Vec<(String, String)>,
    pub author: String,
    pub notes: Vec<String>,
    /// What was taken out to see whether it is what is refused.
    pub without_images: bool,
    pub without_reactions: bool,
    pub without_mentions: bool,
}

/// What is known of an attempt, so that its message is known again.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub author: String,
    /// Of the body, and of the bytes of its images.
    pub hash: u64,
    pub images: Vec<u64>,
    pub notes: Vec<String>,
}

impl Sent {
    /// The attempt that the journal tells of.
    pub fn before(item: &Item, entry: &Entry) -> Self {
        let more = entry.more.as_deref().cloned().unwrap_or_default();
        Self {
            author: more.author.unwrap_or_else(|| item.author.clone()),
            hash: entry.hash,
            images: more.images,
            notes: more.notes,
        }
    }

    /// The author, where that is not the planned one.
    pub fn other_author(&self, item: &Item) -> Option<String> {
        (self.author != item.author).then(|| self.author.clone())
    }
}

impl Draft {
    /// The planned post, still without the bytes of its images.
    pub fn of(item: &Item, body: Value) -> Self {
        Self {
            body,
            images: Vec::new(),
            links: item.images.iter().map(|image| (image.id.clone(), image.link.clone())).collect(),
            author: item.author.clone(),
            notes: Vec::new(),
            without_images: false,
            without_reactions: false,
            without_mentions: false,
        }
    }

    fn content(&self) -> &str {
        self.body["body"]["content"].as_str().unwrap_or_default()
    }

    pub fn sent(&self) -> Sent {
        Sent {
            author: self.author.clone(),
            hash: xxh3_64(canonical(self.content()).as_bytes()),
            images: self.images.iter().map(|image| xxh3_64(&image.bytes)).collect(),
            notes: self.notes.clone(),
        }
    }

    pub fn request(&self, at_ms: i64) -> String {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;

        let mut text = self.body.to_string();
        text.pop();
        text.extend([",\"createdDateTime\":\"", &iso(at_ms), "\""]);
        if !self.images.is_empty() {
            let images = self.images.iter().map(|image| {
                json!({
                    "@microsoft.graph.temporaryId": image.id,
                    "contentBytes": STANDARD.encode(&image.bytes),
                    "contentType": image.content_type,
                })
            });
            text.extend([",\"hostedContents\":", &Value::Array(images.collect()).to_string()]);
        }
        text.push('}');
        text
    }

    pub fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    pub fn link_image(&mut self, id: &str, note: &str) {
        let link = self.links.iter().find(|(known, _)| known == id).map(|(_, link)| link.clone()).unwrap_or_default();
        self.replace_image(id, &link);
        self.note(note);
    }

    pub fn replace_image(&mut self, id: &str, by: &str) {
        let html = replace_images(self.content(), |shown| (shown == id).then(|| by.to_owned()));
        self.body["body"]["content"] = json!(html);
        self.images.retain(|image| image.id != id);
    }

    pub fn link_images(&mut self, note: &str) {
        for (id, _) in self.links.clone() {
            self.link_image(&id, note);
        }
    }

    pub fn drop_reactions(&mut self) {
        if let Some(body) = self.body.as_object_mut() {
            body.remove("reactions");
        }
        self.note("reactions left out, because Teams refuses them here");
    }

    pub fn drop_mentions(&mut self, keep: impl Fn(&str) -> bool) {
        let html = drop_mentions(self.content(), &keep);
        self.body["body"]["content"] = json!(html);
        if let Some(mentions) = self.body["mentions"].as_array_mut() {
            mentions.retain(|mention| keep(&mention["id"].to_string()));
        }
        if self.body["mentions"].as_array().is_none_or(Vec::is_empty)
            && let Some(body) = self.body.as_object_mut()
        {
            body.remove("mentions");
        }
        self.note("mention of somebody without an account became text");
    }

    /// Another author, and a line that names the true one.
    pub fn write_as(&mut self, id: &str, name: &str, why: &str) {
        let true_name = self.body["from"]["user"]["displayName"].as_str().unwrap_or_default().to_owned();
        let html = format!("{}{}", originally_by(&true_name), self.content());
        self.body["body"]["content"] = json!(html);
        self.body["from"]["user"] = json!({"id": id, "displayName": name, "userIdentityType": "aadUser"});
        id.clone_into(&mut self.author);
        self.note(why);
    }
}
