//! One container's posts, one after the other: oldest first, a root before its replies.
//!
//! A post whose answer is lost is not simply sent again. What stands in Teams is read; if it is not there it is sent with
//! the same time, and a conflict (409) then says that it stands there after all.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use super::compose::{IMAGE_BYTES, StoredImage, UPLOAD_BYTES, anchor, reason};
use super::draft::{Draft, Image, Sent};
use super::endpoint::{Address, Mode, mode, upload};
use super::job::Job;
use super::journal::{Change, Entry, Event, State};
use super::plan::Images;
use super::read_back::{Found, MOST_PAGES, find};
use super::spool::{Bodies, Item, Spool};
use crate::fetch::read;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::Request;

/// How often a post is tried whose answers get lost.
const MOST_DOUBTS: u32 = 8;
/// Before a post is tried again whose answers get lost one after the other; it doubles.
const PAUSE: Duration = Duration::from_millis(250);
/// How far a post moves when others have its millisecond.
const MOST_MOVES: u32 = 10_000;
/// What was accepted may take a moment to show.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(400), Duration::from_secs(2)];
/// So many refusals of one kind in a row are about the container and not about its messages.
const IN_A_ROW: usize = 5;

/// Why a lane ended before its end.
pub enum Stop {
    /// Other containers would do no better.
    Run(Error),
    Container(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        if error.ends_run() { Self::Run(error) } else { Self::Container(error.to_string()) }
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Container(format!("the staged posts cannot be read: {error}"))
    }
}

pub struct Lane<'a> {
    job: &'a Job,
    at: usize,
    address: &'a Address,
    bodies: Option<Bodies>,
    /// The time of the last post.
    last_ms: i64,
    next: Instant,
    /// Posts refused in a row with 401 or 403.
    denied: Vec<u32>,
    /// A post waits for something that cannot be read yet.
    waits: bool,
}

impl<'a> Lane<'a> {
    pub fn new(job: &'a Job, at: usize, address: &'a Address) -> Self {
        let next = Instant::now();
        Self { job, at, address, bodies: None, last_ms: i64::MIN, next, denied: Vec::new(), waits: false }
    }

    /// Sends what is not sent yet.
    pub async fn run(mut self) -> Result<(), Stop> {
        let spool = Spool::of(&self.job.folder, self.at);
        for (place, item) in spool.items()?.enumerate() {
            let item = item?;
            if item.left.is_some() {
                continue;
            }
            if self.job.is_stopped() {
                return Ok(());
            }
            let entry = self.job.journal.post(self.at, place);
            match entry.state {
                State::Posted | State::Refused => {}
                State::Pending | State::Attempting => self.settle(place as u32, &item, &entry, &spool).await?,
            }
            let sent = self.job.journal.post(self.at, place);
            if sent.state == State::Posted || sent.state == State::Attempting {
                self.last_ms = self.last_ms.max(sent.at);
            }
        }
        if self.waits {
            return Err(Stop::Container(
                "some messages stand in Teams and cannot be read yet; run it again".to_owned(),
            ));
        }
        Ok(())
    }

    fn note(&self, event: &Event) -> Result<(), Stop> {
        Ok(self.job.journal.note(event)?)
    }

    async fn settle(&mut self, place: u32, item: &Item, entry: &Entry, spool: &Spool) -> Result<(), Stop> {
        let c = self.at as u32;
        let root = match item.root {
            None => None,
            Some(root) => match self.job.journal.post(self.at, root as usize) {
                Entry { state: State::Posted, id: Some(id), .. } => Some(id.into_string()),
                Entry { state: State::Refused, .. } => None,
                _ => {
                    self.waits = true;
                    return Ok(());
                }
            },
        };
        let mut draft = self.draft(item, spool).await?;
        if item.root.is_some() && root.is_none() {
            draft.notes.push("its thread's first message was refused, so it stands alone".to_owned());
        }
        let mut in_doubt = entry.state == State::Attempting;
        let mut sent = Sent::before(item, entry);
        if in_doubt && let Some(author) = sent.other_author(item) {
            self.write_as_before(&author, &mut draft);
        }
        let mut at_ms = if in_doubt { entry.at } else { item.at.max(self.last_ms.saturating_add(1)) };
        let (mut doubts, mut moves) = (0, 0);
        loop {
            if in_doubt {
                match self.look(root.as_deref(), &sent.author, at_ms, doubts > 1).await? {
                    Found::Ours(id) => return self.posted(place, at_ms, &id, item, sent, &draft),
                    Found::Other => {
                        in_doubt = false;
                        at_ms += 1;
                    }
                    Found::Nothing => {}
                }
            }
            self.pace().await;
            sent = draft.sent();
            self.attempt(place, at_ms, item, &sent).await?;
            let request = self.address.post(root.as_deref(), draft.request(at_ms));
            match self.job.client.send(&request).await {
                Ok(answer) if answer.status == 409 => {
                    if in_doubt || answer.repeated_in_doubt {
                        match self.look(root.as_deref(), &sent.author, at_ms, true).await? {
                            Found::Ours(id) => return self.posted(place, at_ms, &id, item, sent, &draft),
                            Found::Other => in_doubt = false,
                            Found::Nothing => {
                                self.note(&Event::Landed { c, i: place, h: sent.hash })?;
                                self.waits = true;
                                return Ok(());
                            }
                        }
                    }
                    at_ms += 1;
                    moves += 1;
                    if moves > MOST_MOVES {
                        let reason = "thousands of milliseconds are taken".to_owned();
                        return self.refuse(place, "conflict", reason);
                    }
                    draft.notes.retain(|note| note != CLASH);
                    draft.notes.push(CLASH.to_owned());
                }
                Ok(answer) => {
                    if let Some(id) = id_of(&answer.body) {
                        self.denied.clear();
                        return self.posted(place, at_ms, &id, item, sent, &draft);
                    }
                    in_doubt = true;
                    self.doubted(&mut doubts, None).await?;
                }
                Err(error) if error.effect_is_unknown() => {
                    if error.ends_run() {
                        return Err(Stop::Run(error));
                    }
                    in_doubt = true;
                    self.doubted(&mut doubts, Some(&error)).await?;
                }
                Err(error) => {
                    if in_doubt {
                        // An earlier attempt may stand there although this one was refused.
                        self.waits = true;
                        return if error.ends_run() { Err(Stop::Run(error)) } else { Ok(()) };
                    }
                    self.note(&Event::Open { c, i: place })?;
                    if error.ends_run() || error.status() == Some(429) {
                        return Err(error.into());
                    }
                    if self.remedy(&error, &mut draft).await? {
                        continue;
                    }
                    let Some((id, name)) = self.other_author(&error, &draft) else {
                        return self.refused(place, &error).await;
                    };
                    draft = self.draft(item, spool).await?;
                    draft.write_as(&id, &name, REFUSED_AUTHOR);
                }
            }
        }
    }

    /// Looks for a post. What is looked for before it is sent again is among the newest, or else the conflict tells.
    async fn look(&self, root: Option<&str>, author: &str, at_ms: i64, patiently: bool) -> Result<Found, Stop> {
        let (looks, pages) = if patiently { (&LOOKS[..], MOST_PAGES) } else { (&LOOKS[..1], 1) };
        for wait in looks {
            sleep(*wait).await;
            match find(&self.job.client, self.address, root, author, at_ms, pages).await? {
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing)
    }

    /// After an answer that does not tell what became of the post. Some failures are for good: a chat that is not in
    /// migration mode answers 502.
    async fn doubted(&self, doubts: &mut u32, error: Option<&Error>) -> Result<(), Stop> {
        *doubts += 1;
        if *doubts > MOST_DOUBTS {
            let last = error.map_or_else(|| "its answers cannot be read".to_owned(), ToString::to_string);
            return Err(Stop::Container(format!("a message got no answer {doubts} times: {last}")));
        }
        if *doubts > 1 {
            if error.and_then(Error::status).is_some_and(|status| status >= 500) {
                self.still_open().await?;
            }
            sleep(PAUSE * 2_u32.pow(*doubts)).await;
        }
        Ok(())
    }

    async fn still_open(&self) -> Result<(), Stop> {
        match mode(&self.job.client, self.address).await?.0 {
            Mode::InProgress | Mode::Unknown => Ok(()),
            Mode::Completed | Mode::Never => {
                let completed = Event::Container { container: self.at, change: Change::Completed };
                self.job.journal.keep(&completed).await?;
                Err(Stop::Container(
                    "it is no longer in migration mode: somebody completed it. Run it again to open it once more"
                        .to_owned(),
                ))
            }
        }
    }

    async fn pace(&mut self) {
        if let Some(rate) = self.job.plan.rate {
            sleep_until(self.next).await;
            self.next = self.next.max(Instant::now()) + Duration::from_secs_f64(1.0 / rate);
        }
    }

    async fn draft(&mut self, item: &Item, spool: &Spool) -> Result<Draft, Stop> {
        if self.bodies.is_none() {
            self.bodies = Some(spool.bodies()?);
        }
        let text = self.bodies.as_mut().map(|bodies| bodies.read(item)).transpose()?.unwrap_or_default();
        let body: Value = serde_json::from_str(&text).map_err(std::io::Error::other)?;
        let mut draft = Draft::of(item, body);
        if self.job.plan.images == Images::Upload {
            for image in &item.images {
                self.upload(image, &mut draft).await?;
            }
        } else if self.job.images_refused() && !item.images.is_empty() {
            draft.link_images("image linked, because Teams refuses images here");
        } else {
            let mut room = IMAGE_BYTES as usize;
            for image in &item.images {
                match self.job.contents.read(&image.key).await {
                    Ok(bytes) if bytes.len() <= room && !bytes.is_empty() => {
                        room -= bytes.len();
                        let (id, content_type) = (image.id.clone(), image.content_type.clone());
                        draft.images.push(Image { id, content_type, bytes });
                    }
                    Ok(_) => draft.link_image(&image.id, "image too large, linked"),
                    Err(_) => draft.link_image(&image.id, "image could not be read from the source, linked"),
                }
            }
        }
        if self.job.reactions_refused() && draft.body.get("reactions").is_some() {
            draft.drop_reactions();
        }
        Ok(draft)
    }

    /// Puts an image into the drive, and a link to it into its place. Its name there is that of its bytes, so that a repeat
    /// writes the same again.
    async fn upload(&self, image: &StoredImage, draft: &mut Draft) -> Result<(), Stop> {
        let bytes = match self.job.contents.read(&image.key).await {
            Ok(bytes) if !bytes.is_empty() && bytes.len() as i64 <= UPLOAD_BYTES => bytes,
            Ok(_) => {
                draft.link_image(&image.id, "image too large, linked");
                return Ok(());
            }
            Err(_) => {
                draft.link_image(&image.id, "image could not be read from the source, linked");
                return Ok(());
            }
        };
        let drive = self.job.plan.drive.as_deref().unwrap_or_default();
        match upload(&self.job.client, drive, &self.job.plan.run, &image.content_type, bytes).await {
            Ok(url) => draft.replace_image(&image.id, &anchor(&url, &image.name)),
            Err(error) if error.ends_run() => return Err(Stop::Run(error)),
            Err(error) => {
                log::warn!("an image was not uploaded: {error}");
                draft.link_image(&image.id, "image could not be uploaded, linked");
            }
        }
        Ok(())
    }

    /// Changes what may be the reason of a refusal; false where nothing is left to change.
    async fn remedy(&self, error: &Error, draft: &mut Draft) -> Result<bool, Stop> {
        let status = error.status().unwrap_or_default();
        if status == 413 && !draft.images.is_empty() {
            draft.link_images("image too large, linked");
            return Ok(true);
        }
        if status == 403 && !draft.images.is_empty() {
            draft.link_images("image linked, because Teams refuses images here");
            draft.without_images = true;
            return Ok(true);
        }
        if !matches!(status, 400 | 403 | 404) {
            return Ok(false);
        }
        if self.is_gone(&draft.author).await? {
            let Some(fallback) = self.job.plan.fallback.as_ref().and_then(|person| Some((person.id.as_ref()?, person)))
            else {
                return Ok(false);
            };
            if *fallback.0 == draft.author {
                return Ok(false);
            }
            draft.write_as(fallback.0, &fallback.1.name, GONE);
            return Ok(true);
        }
        if status == 400 && !draft.without_mentions && draft.body.get("mentions").is_some() {
            let mut gone = Vec::new();
            for mention in draft.body["mentions"].as_array().cloned().unwrap_or_default() {
                let id = mention["mentioned"]["user"]["id"].as_str().unwrap_or_default().to_owned();
                if self.is_gone(&id).await? {
                    gone.push(mention["id"].to_string());
                }
            }
            if !gone.is_empty() {
                draft.drop_mentions(|id| !gone.iter().any(|lost| lost == id));
                return Ok(true);
            }
        }
        if status == 400 && draft.body.get("reactions").is_some() {
            draft.drop_reactions();
            draft.without_reactions = true;
            return Ok(true);
        }
        if status == 400 && !draft.without_mentions && draft.body.get("mentions").is_some() {
            draft.drop_mentions(|_| false);
            draft.without_mentions = true;
            return Ok(true);
        }
        Ok(false)
    }

    /// The fallback author, where nothing of the message itself was what is refused: guests and closed accounts may be no
    /// authors, and no page says so.
    fn other_author(&self, error: &Error, draft: &Draft) -> Option<(String, String)> {
        let fallback = self.job.plan.fallback.as_ref()?;
        let id = fallback.id.clone()?;
        let may_be = matches!(error.status(), Some(400 | 403)) && id != draft.author;
        may_be.then(|| (id, fallback.name.clone()))
    }

    /// Whether the tenant has no such person any more; asked once per person.
    async fn is_gone(&self, id: &str) -> Result<bool, Stop> {
        if let Some(known) = self.job.gone.lock().get(id) {
            return Ok(*known);
        }
        let request = Request::new(&endpoint::USER, &["users", id], format!("user {id}")).query("$select", "id");
        let gone = match read(&self.job.client, &request).await {
            Err(Error::NotFound(_)) => true,
            Err(error) if error.ends_run() => return Err(Stop::Run(error)),
            // Without permission to look, nobody is taken to be gone.
            Ok(_) | Err(_) => false,
        };
        self.job.gone.lock().insert(id.to_owned(), gone);
        Ok(gone)
    }

    /// On disk before the request leaves.
    async fn attempt(&self, place: u32, at_ms: i64, item: &Item, sent: &Sent) -> Result<(), Stop> {
        let event = Event::Attempt {
            c: self.at as u32,
            i: place,
            t: at_ms,
            h: sent.hash,
            g: sent.images.clone(),
            u: sent.other_author(item),
            n: sent.notes.clone(),
        };
        Ok(self.job.journal.keep(&event).await?)
    }

    fn posted(&mut self, place: u32, at_ms: i64, id: &str, item: &Item, sent: Sent, draft: &Draft) -> Result<(), Stop> {
        if draft.without_images {
            self.job.refuse_images();
        }
        if draft.without_reactions {
            self.job.refuse_reactions();
        }
        let event = Event::Posted {
            c: self.at as u32,
            i: place,
            t: at_ms,
            id: id.to_owned(),
            u: sent.other_author(item),
            h: sent.hash,
            g: sent.images,
            n: sent.notes,
        };
        self.note(&event)?;
        self.job.progress.posted(self.at);
        Ok(())
    }

    /// An earlier attempt was made under another author than planned, and so is this one.
    fn write_as_before(&self, author: &str, draft: &mut Draft) {
        if let Some(fallback) = self.job.plan.fallback.as_ref().filter(|person| person.id.as_deref() == Some(author)) {
            draft.write_as(author, &fallback.name, GONE);
        }
    }

    fn refuse(&mut self, place: u32, code: &str, reason: String) -> Result<(), Stop> {
        self.note(&Event::Refused { c: self.at as u32, i: place, code: code.to_owned(), reason })?;
        self.job.progress.refused(self.at);
        Ok(())
    }

    async fn refused(&mut self, place: u32, error: &Error) -> Result<(), Stop> {
        let status = error.status().unwrap_or_default();
        let code = error.graph().map(|failure| failure.code.clone()).filter(|code| !code.is_empty());
        let code = code.unwrap_or_else(|| status.to_string());
        if code == "InvalidRequestProperties" {
            return Err(Stop::Container(
                "another application owns its migration. Use that application, or have it completed first".to_owned(),
            ));
        }
        if matches!(status, 401 | 403 | 404) {
            self.still_open().await?;
            self.denied.push(place);
            if self.denied.len() >= IN_A_ROW {
                for place in std::mem::take(&mut self.denied) {
                    self.note(&Event::Open { c: self.at as u32, i: place })?;
                    self.job.progress.reopened(self.at);
                }
                return Err(Stop::Container(error.to_string()));
            }
        } else {
            self.denied.clear();
        }
        let said = error.graph().map(|failure| reason(&failure.message)).unwrap_or_default();
        let said = if said.is_empty() { format!("Teams answered {status} and no reason") } else { said };
        self.refuse(place, &code, said)
    }
}

const CLASH: &str = "time moved, because another message has the millisecond";
const GONE: &str = "author is gone, replaced by the fallback author";
const REFUSED_AUTHOR: &str = "author is refused by Teams, replaced by the fallback author";

fn id_of(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    Some(answer["id"].as_str()?.to_owned())
}
