//! `getAllMessages` of a team or of a user: roots and replies, filtered by time, without a limit per channel.
//! <https://learn.microsoft.com/graph/api/channel-getallmessages>,
//! <https://learn.microsoft.com/graph/api/chats-getallmessages>

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::export_page;
use super::strategy::Ways;
use super::unlisted_chats::{Guard, UnlistedChats};
use crate::context::{ReadContext, into, read_raw_page};
use crate::dedup::SeenKeys;
use crate::engine::Step;
use crate::state::round_kind::Family;
use crate::state::round_state::{Phase, RoundState, before};
use crate::state::window::Window;
use crate::state::work_item::{Child, WorkItem};
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Context, ExportRows, Filter, ListRows, Page, Tally, Twice};

/// How often a window is read again because rows left it while plain `$skip` links were followed.
const WINDOW_READS: u8 = 3;

/// The exports of one round.
pub struct Export<'r> {
    pub context: &'r ReadContext,
    pub family: Family,
    pub round: &'r RoundState,
    pub ways: Ways,
    pub unlisted_chats: &'r UnlistedChats,
}

impl Export<'_> {
    /// Whether the parent's children have to be listed first: a history makes them known, and where some chats are
    /// wanted it has to be known which. A sweep asks for neither.
    pub fn needs_children(&self, item: &WorkItem) -> bool {
        self.makes_known() || self.chooses_chats(item)
    }

    /// Whether children that the export holds are known when it has been read to its end. A sweep reads only changes,
    /// and without lists parents are known, not children.
    fn makes_known(&self) -> bool {
        !self.ways.is_export_only() && self.round.phase == Phase::Read
    }

    /// Whether rows of some chats only are wanted. Where each row may come only once, a chat belongs to one of its
    /// members.
    fn chooses_chats(&self, item: &WorkItem) -> bool {
        self.family == Family::Chats && (!self.context.options.takes_all_chats() || item.seen_keys.is_some())
    }

    /// Whether chats that no list names are wanted, each of their rows once. Their type is not known.
    fn takes_unlisted_chats(&self, item: &WorkItem) -> bool {
        let options = &self.context.options;
        self.chooses_chats(item) && options.takes_all_chats() && options.chat_ids.is_empty()
    }

    /// Reads one page of a window.
    pub async fn step(&self, item: &mut WorkItem, window: Window) -> Result<Step> {
        item.checked = item.checked.or_else(|| self.context.client.now());
        let (request, (page, tally)) = self.page(item, window).await?;
        self.note(item, &tally);
        item.rows += page.items;
        if let Some(link) = &item.link {
            item.skip_paging |= link.url().query_pairs().any(|(name, _)| name == "$skip");
        }
        if page.next_link.is_none() {
            return self.end_of_window(item, window).await;
        }
        if item.rows >= self.context.rows_per_window
            && !item.filter_ignored
            && let Some(windows) = window.cut(item.oldest, item.newest)
        {
            let children = item.children.clone();
            let part = |window| WorkItem { children: children.clone(), ..item.window(window) };
            let mut parts: Vec<WorkItem> = windows.into_iter().map(part).collect();
            // A pause joins windows that were not begun, so that one of them at least is read before it.
            parts[0].tries.first_of_cut = true;
            return Ok(Step::Split(parts));
        }
        self.context.advance(item, &request, &page)
    }

    fn request(&self, parent: &str, window: Window) -> Request {
        let request = match self.family {
            Family::Channels => {
                let segments = ["teams", parent, "channels", "getAllMessages"];
                Request::new(&endpoint::TEAM_EXPORT, &segments, format!("team {parent}")).team(parent)
            }
            Family::Chats => {
                let segments = ["users", parent, "chats", "getAllMessages"];
                Request::new(&endpoint::USER_EXPORT, &segments, format!("user {parent}")).user(parent)
            }
        };
        match (window.filter(), self.sender_filter(parent)) {
            (Some(window), Some(sender)) => request.query("$filter", format!("{window} and {sender}")),
            (Some(filter), None) | (None, Some(filter)) => request.query("$filter", filter),
            (None, None) => request,
        }
    }

    /// `chat_sender_filter`: each message once, from its sender's side, instead of once for every member.
    fn sender_filter(&self, user: &str) -> Option<String> {
        let is_asked = self.family == Family::Chats && self.context.options.chat_sender_filter;
        is_asked.then(|| format!("from/user/id eq '{}'", user.replace('\'', "''")))
    }

    /// The channels or chats whose rows are wanted; `None` for all.
    fn wanted(&self, item: &WorkItem) -> Option<HashSet<String>> {
        let channels = &self.context.options.channel_ids;
        match self.family {
            Family::Channels => (!channels.is_empty()).then(|| channels.iter().cloned().collect()),
            Family::Chats => {
                self.chooses_chats(item).then(|| item.listed_children().map(|child| child.id.clone()).collect())
            }
        }
    }

    async fn page(&self, item: &mut WorkItem, window: Window) -> Result<(Request, (Page, Tally))> {
        let (sink, team) = (&self.context.sink, item.scope.clone());
        let (wanted, takes_unlisted) = (self.wanted(item), self.takes_unlisted_chats(item));
        let (wants_roots, wants_replies) = match self.family {
            Family::Channels => (sink.wants(0), sink.wants(1)),
            Family::Chats => (true, false),
        };
        let first = self.request(&item.scope, window);
        let seen_keys = item.seen_keys.clone();
        let children = item.children.clone();
        let special = special(children.as_deref().unwrap_or_default());
        let is_listed_too = self.context.given.is_some() && self.makes_known() && !special.is_empty();
        export_page::read(self.context, &first, item, |builders, body| {
            let mut seen = seen_keys.as_ref().map(SeenKeys::lock);
            let mut unlisted = takes_unlisted.then(|| self.unlisted_chats.lock());
            let mut filter = Filter {
                after: window.from,
                is_chosen: true,
                until: window.to,
                conversations: wanted.as_ref(),
                excluded: &self.context.options.exclude_channel_ids,
                unlisted: unlisted.as_mut().map(Guard::for_filter),
                seen: seen.as_deref_mut(),
                twice: is_listed_too.then_some(Twice::First(&special)),
                page: Tally::default(),
            };
            let page = match (self.family, builders) {
                (Family::Channels, [roots, replies, ..]) => {
                    let filter = &mut filter;
                    let mut rows =
                        ExportRows { roots, replies, wants_roots, wants_replies, team: &team, filter, reply_at: None };
                    into(body, &mut rows)
                }
                (Family::Chats, [rows, ..]) => into(body, &mut ListRows::new(rows, Context::default(), &mut filter)),
                _ => Err("no table to read into".to_owned()),
            }?;
            Ok((page, filter.page))
        })
        .await
    }

    /// Notes what a page said of its scope: the conversations that the export holds will have been read at its end.
    fn note(&self, item: &mut WorkItem, tally: &Tally) {
        item.oldest = [item.oldest, tally.oldest].into_iter().flatten().min();
        item.newest = item.newest.max(tally.newest);
        if tally.outside > 0 && !item.filter_ignored {
            item.filter_ignored = true;
            self.context
                .report()
                .note("the slow way: the export ignores the time filter, so more is read than was asked for");
        }
        if !self.makes_known() {
            return;
        }
        if let Some(given) = &self.context.given {
            given.note(&item.scope, &tally.versions_kept);
        }
        let special = special(item.children.as_deref().unwrap_or_default());
        let mut known = self.round.known();
        for conversation in &tally.conversations {
            if !special.contains(conversation.as_str()) {
                let scope = format!("{}/{conversation}", item.scope);
                known.insert_pending(self.family.known_name(&scope));
            }
        }
    }

    /// Rows that leave a window while it is read by `$skip` shift the rows behind them over the seam of two pages.
    async fn end_of_window(&self, item: &mut WorkItem, window: Window) -> Result<Step> {
        let Some(to) = window.to.filter(|_| item.skip_paging) else { return Ok(Step::Done) };
        if item.tries.window_reads >= WINDOW_READS {
            self.context.report().note(
                "a window kept changing while it was read by $skip links; a row at a seam may come only with the next \
                 sweep",
            );
            return Ok(Step::Done);
        }
        if !self.has_changed(item, to).await? {
            return Ok(Step::Done);
        }
        item.tries.window_reads += 1;
        item.skip_paging = false;
        item.restart();
        Ok(Step::More)
    }

    /// Whether anything was changed after the window's end and since the window was last begun.
    async fn has_changed(&self, item: &mut WorkItem, to: Timestamp) -> Result<bool> {
        // The server tells its time in seconds: a change of the second in which the window was begun counts too.
        let begun = item.checked.map_or(to, |begun| before(begun, SignedDuration::from_secs(1)).max(to));
        let window = Window { from: Some(begun), to: None };
        let probe = self.request(&item.scope, window).query("$top", 1);
        let found = self.context.client.get(&probe, read_raw_page).await?;
        item.checked = self.context.client.now();
        Ok(!found.body.1.is_empty())
    }
}

/// The children that an export may not hold.
fn special(children: &[Child]) -> HashSet<&str> {
    children.iter().filter(|child| child.is_special).map(|child| child.id.as_str()).collect()
}
