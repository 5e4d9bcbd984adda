//! A row of the source as the posts it becomes: one, or several where it is too large for one.
//!
//! Whatever is changed on the way is noted, in words that are the same for all such cases, so that they can be counted.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::html::{drop_mentions, escape, hosted_ids, json_length, mention_ids, replace_images, split};
use super::plan::{Images, Person, Plan, Reactions};
use super::source::{Image, Message, Reaction};
use teams_base::redact;

/// Teams takes posts of about 28 KB with HTML, mentions and reactions
/// (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>); the rest is for what is added when it is sent.
const POST_BYTES: usize = 27 * 1024;
/// Of a body that has to be cut.
const PART_BYTES: usize = 20 * 1024;
/// Reactions of one message.
const MOST_REACTIONS: usize = 250;
/// A request of more than 4 MB is refused; Base64 makes three bytes four.
pub const IMAGE_BYTES: i64 = 2_900_000;
/// The largest file that one request uploads (<https://learn.microsoft.com/graph/api/driveitem-put-content>).
pub const UPLOAD_BYTES: i64 = 250 * 1024 * 1024;
/// What the link to an uploaded image adds to a text at most.
const LINK_BYTES: usize = 700;

/// One post without the time it is given.
pub struct Post {
    /// The request's body, as a JSON object. Images are named, and added when it is sent.
    pub body: String,
    pub images: Vec<StoredImage>,
    pub author: String,
}

/// An image of a post, as it is kept until its bytes are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredImage {
    pub id: String,
    pub key: String,
    pub content_type: String,
    /// What takes its place where it cannot be sent.
    pub link: String,
    /// How people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What a row becomes.
pub struct Composed {
    pub posts: Vec<Post>,
    pub notes: Vec<String>,
}

/// Why a row is not sent.
pub struct Left {
    pub skipped: bool,
    pub code: &'static str,
    pub reason: String,
}

fn refused(code: &'static str, reason: impl Into<String>) -> Left {
    Left { skipped: false, code, reason: reason.into() }
}

fn skipped(code: &'static str, reason: impl Into<String>) -> Left {
    Left { skipped: true, code, reason: reason.into() }
}

/// `now_us`: messages of a later time are refused by Teams.
pub fn compose(plan: &Plan, message: &Message<'_>, is_chat: bool, now_us: i64) -> Result<Composed, Left> {
    if let Some(reason) = message.skip {
        return Err(skipped("source", reason));
    }
    if plan.since.is_some_and(|since| message.created_us < since)
        || plan.until.is_some_and(|until| message.created_us >= until)
    {
        return Err(skipped("outside", "outside of since and until"));
    }
    if message.created_us > now_us {
        return Err(refused("future", "its time lies in the future"));
    }
    if message.created_us < 0 {
        return Err(refused("before_1970", "its time lies before 1970"));
    }
    let mut notes: Vec<String> = message.notes.iter().map(|note| (*note).to_owned()).collect();
    if message.edited {
        notes.push("edited in the source".to_owned());
    }
    let (author, mut html) = author(plan, message, &mut notes)?;
    html.push_str(message.html);
    let mut draft = Draft { plan, message, html, notes, mentions: Vec::new(), reactions: Vec::new() };
    draft.mention();
    let images = draft.images();
    draft.attach();
    draft.react();
    if draft.html.trim().is_empty() {
        // Left out, it would tear its thread apart.
        draft.html.push_str("<p><em>(no text)</em></p>");
        draft.note("message without text, shown as such");
    }
    Ok(draft.posts(&author, &images, is_chat))
}

/// The author to send, and what stands before the text where that is another one.
fn author(plan: &Plan, message: &Message<'_>, notes: &mut Vec<String>) -> Result<(Person, String), Left> {
    let person = message.author.and_then(|id| plan.people.get(id));
    if let Some(person) = person.filter(|person| person.id.is_some()) {
        return Ok((person.clone(), String::new()));
    }
    let name = message.author_name.or(person.map(|person| person.name.as_str())).filter(|name| !name.trim().is_empty());
    let Some(fallback) = plan.fallback.clone() else {
        let who = message.author.unwrap_or("nobody");
        let reason = format!("its author ({who}) has no account here, and no fallback_author is named");
        return Err(refused("author", reason));
    };
    notes.push("author replaced by the fallback author".to_owned());
    Ok((fallback, originally_by(name.unwrap_or("somebody who is not named"))))
}

/// The line that names who wrote what another account posts.
pub fn originally_by(name: &str) -> String {
    format!("<p><em>Originally by {}</em></p>", escape(name))
}

struct Draft<'a> {
    plan: &'a Plan,
    message: &'a Message<'a>,
    html: String,
    notes: Vec<String>,
    mentions: Vec<Value>,
    reactions: Vec<Value>,
}

impl Draft<'_> {
    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    fn mapped(&self, user: Option<&str>) -> Option<(&str, &str)> {
        let person = self.plan.people.get(user?)?;
        Some((person.id.as_deref()?, person.name.as_str()))
    }

    /// Mentions of people without an account become plain text.
    fn mention(&mut self) {
        let mut kept = Vec::new();
        let mut lost = false;
        for mention in &self.message.mentions {
            match self.mapped(mention.user) {
                Some((id, name)) => {
                    let name = if mention.text.is_empty() { name } else { mention.text };
                    let user = json!({"id": id, "displayName": name, "userIdentityType": "aadUser"});
                    kept.push(json!({"id": mention.id, "mentionText": name, "mentioned": {"user": user}}));
                }
                None => lost = true,
            }
        }
        let is_kept = |id: &str| {
            let number = id.parse::<i64>().ok();
            number.is_some() && kept.iter().any(|mention| mention["id"].as_i64() == number)
        };
        if mention_ids(&self.html).into_iter().any(|id| !is_kept(id)) {
            self.html = drop_mentions(&self.html, is_kept);
            lost = true;
        }
        let present: Vec<String> = mention_ids(&self.html).into_iter().map(str::to_owned).collect();
        kept.retain(|mention| present.contains(&mention["id"].to_string()));
        if lost {
            self.note("mention of somebody without an account became text");
        }
        self.mentions = kept;
    }

    /// The images that are sent; all others become links.
    fn images(&mut self) -> Vec<StoredImage> {
        let shown: Vec<String> = hosted_ids(&self.html).into_iter().map(str::to_owned).collect();
        let mut sent = Vec::new();
        let mut room = IMAGE_BYTES;
        for id in &shown {
            let found = self.message.images.iter().find(|image| image.id == id);
            let Some(image) = found else { continue };
            let stored = image.key.map(|key| StoredImage {
                id: id.clone(),
                key: key.to_owned(),
                content_type: image.content_type.unwrap_or("image/png").to_owned(),
                link: link_of(image),
                name: name_of(image).to_owned(),
            });
            let size = image.size.unwrap_or_default();
            match (self.plan.images, stored) {
                (Images::Inline, Some(stored)) if size <= room => {
                    room -= size;
                    sent.push(stored);
                }
                (Images::Upload, Some(stored)) if size <= UPLOAD_BYTES => {
                    sent.push(stored);
                    self.note("image uploaded and linked");
                }
                (Images::Inline | Images::Upload, Some(_)) => self.note("image too large, linked"),
                (Images::Inline | Images::Upload, None) => self.note("image without bytes, linked"),
                (Images::Link, _) => self.note("image linked"),
                (Images::Drop, _) => self.note("image left out"),
            }
        }
        let is_sent = |id: &str| sent.iter().any(|image| image.id == id);
        if shown.iter().any(|id| !is_sent(id)) {
            let drop = self.plan.images == Images::Drop;
            self.html = replace_images(&self.html, |id| {
                if is_sent(id) {
                    return None;
                }
                let image = self.message.images.iter().find(|image| image.id == id);
                Some(if drop { String::new() } else { image.map_or_else(|| "[image]".to_owned(), link_of) })
            });
        }
        sent
    }

    /// Files follow the text as links.
    fn attach(&mut self) {
        let mut lines = String::new();
        for file in &self.message.attachments {
            let name = file.name.filter(|name| !name.trim().is_empty()).or(file.url).unwrap_or("a file");
            let shown = file.url.map_or_else(|| format!("[file: {}]", escape(name)), |url| anchor(url, name));
            lines.extend(["<p>", &shown, "</p>"]);
        }
        if !lines.is_empty() {
            self.html.push_str(&lines);
            self.note("file linked");
        }
    }

    fn react(&mut self) {
        match self.plan.reactions {
            _ if self.message.reactions.is_empty() => {}
            Reactions::Drop => self.note("reactions left out"),
            Reactions::Text => {
                let text = self.reactions_as_text();
                self.html.push_str(&text);
                self.note("reactions as text");
            }
            Reactions::Try => self.reactions_as_such(),
        }
    }

    fn reactions_as_text(&self) -> String {
        let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
        for Reaction { kind: reaction, user, .. } in &self.message.reactions {
            let name = user.and_then(|user| self.plan.people.get(user)).map_or("somebody", |person| &person.name);
            match kinds.iter_mut().find(|(kind, _)| kind == reaction) {
                Some((_, names)) => names.push(name),
                None => kinds.push((reaction, vec![name])),
            }
        }
        let kinds = kinds.iter().map(|(kind, names)| format!("{} {}", escape(kind), escape(&names.join(", "))));
        format!("<p><em>{}</em></p>", kinds.collect::<Vec<_>>().join("; "))
    }

    fn reactions_as_such(&mut self) {
        for Reaction { kind: reaction, user, created_us } in &self.message.reactions {
            // Emoji of a workspace's own have no counterpart.
            if reaction.len() > 2 && reaction.starts_with(':') && reaction.ends_with(':') {
                self.note("reaction with an emoji of its own left out");
                continue;
            }
            let Some((id, _)) = self.mapped(*user) else {
                self.note("reaction of somebody without an account left out");
                continue;
            };
            // A reaction without a time of its own came after its message.
            let at_ms = created_us.unwrap_or(self.message.created_us + 1_000).div_euclid(1_000);
            let value = json!({"reactionType": reaction, "createdDateTime": iso(at_ms), "user": {"user": {"id": id}}});
            if self.reactions.len() < MOST_REACTIONS {
                self.reactions.push(value);
            } else {
                self.note("more reactions than Teams takes");
            }
        }
    }

    fn posts(mut self, author: &Person, images: &[StoredImage], is_chat: bool) -> Composed {
        let own = |list: &[Value]| list.iter().map(|value| value.to_string().len() + 1).sum::<usize>();
        let links = if self.plan.images == Images::Upload { images.len() * LINK_BYTES } else { 0 };
        let base = 600 + links + self.message.subject.map_or(0, json_length) + own(&self.mentions);
        // Reactions that do not fit beside the text are the first to go.
        while !self.reactions.is_empty()
            && base + own(&self.reactions) > POST_BYTES.saturating_sub(json_length(&self.html).min(PART_BYTES))
        {
            self.reactions.pop();
            self.note("more reactions than Teams takes");
        }
        let whole = base + own(&self.reactions) + json_length(&self.html);
        let parts =
            if whole <= POST_BYTES { vec![std::mem::take(&mut self.html)] } else { split(&self.html, PART_BYTES) };
        if parts.len() > 1 {
            self.note(if is_chat { "split into several messages" } else { "split into a message and replies" });
        }
        let count = parts.len();
        let posts =
            parts.into_iter().enumerate().map(|(at, html)| self.post(author, images, html, at, count)).collect();
        Composed { posts, notes: self.notes }
    }

    fn post(&self, author: &Person, images: &[StoredImage], html: String, at: usize, count: usize) -> Post {
        let html = if count > 1 { format!("{html}<p><em>({}/{count})</em></p>", at + 1) } else { html };
        let named = mention_ids(&html);
        let mentions: Vec<&Value> =
            self.mentions.iter().filter(|mention| named.contains(&mention["id"].to_string().as_str())).collect();
        let shown = hosted_ids(&html);
        let images = images.iter().filter(|image| shown.contains(&image.id.as_str())).cloned().collect();
        let id = author.id.clone().unwrap_or_default();
        let user = json!({"id": id, "displayName": author.name, "userIdentityType": "aadUser"});
        let mut body = json!({"from": {"user": user}, "body": {"contentType": "html", "content": html}});
        if at == 0 {
            if let Some(subject) = self.message.subject.filter(|subject| !subject.is_empty()) {
                body["subject"] = json!(subject);
            }
            if let Some(importance) = self.message.importance.filter(|word| ["high", "urgent"].contains(word)) {
                body["importance"] = json!(importance);
            }
            if !self.reactions.is_empty() {
                body["reactions"] = json!(self.reactions);
            }
        }
        if !mentions.is_empty() {
            body["mentions"] = json!(mentions);
        }
        Post { body: body.to_string(), images, author: id }
    }
}

fn name_of<'a>(image: &Image<'a>) -> &'a str {
    image.name.filter(|name| !name.trim().is_empty()).unwrap_or("image")
}

fn link_of(image: &Image<'_>) -> String {
    let name = name_of(image);
    match image.url {
        Some(url) => anchor(url, name),
        None => format!("[image: {}]", escape(name)),
    }
}

/// Only addresses that a browser opens as a page become links.
pub fn anchor(url: &str, name: &str) -> String {
    let lower = url.trim().to_ascii_lowercase();
    if ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme)) {
        format!("<a href=\"{}\">{}</a>", escape(url.trim()), escape(name))
    } else {
        escape(name)
    }
}

/// A time as Graph reads it: UTC with three digits of a fraction.
pub fn iso(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        Err(_) => String::new(),
    }
}

/// The text of a reason that may quote what a service said.
pub fn reason(text: &str) -> String {
    redact::clean(text).chars().take(300).collect()
}
