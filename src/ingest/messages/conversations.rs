//! Reads parents and their children by steps: of teams and their channels, or of users and their chats.

use std::collections::HashSet;

use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;

use super::channel::Refused;
use super::export::Export;
use super::export_availability::ExportAvailability;
use super::strategy::Ways;
use super::unlisted_chats::UnlistedChats;
use super::{channel, chat, children};
use crate::context::ReadContext;
use crate::dedup::SeenKeys;
use crate::engine::{Reader, Step};
use crate::error_policy::{Refusal, export_refusal, is_dead_link, with_other_strategy};
use crate::state::round_kind::Family;
use crate::state::round_state::{EXPORT_LAG, Phase, RoundState, before, days, is_sweep_due, signed};
use crate::state::window::Window;
use crate::state::work_item::{Child, Stage, WorkItem};
use teams_base::error::{Error, Result};

/// So many rounds go on with a history from the page that failed, before it is begun anew: what the link led to may have
/// gone.
const MAX_STALLS: u8 = 5;

pub struct Conversations<'c> {
    pub context: &'c ReadContext,
    pub family: Family,
    pub round: RoundState,
    ways: Ways,
    export: ExportAvailability,
    refused: Refused,
    /// Chats are listed by each of their members, and read for the first one that lists them.
    seen_chats: SeenKeys,
    /// Parents whose children are listed because their export failed.
    listed_instead: Mutex<HashSet<String>>,
    /// Where each row may come only once.
    pub unlisted_chats: UnlistedChats,
}

impl<'c> Conversations<'c> {
    pub fn new(context: &'c ReadContext, family: Family, round: RoundState) -> Self {
        Self {
            context,
            family,
            ways: Ways::of(&context.options, family),
            export: ExportAvailability::new(round.export),
            round,
            refused: Refused::default(),
            seen_chats: SeenKeys::default(),
            listed_instead: Mutex::default(),
            unlisted_chats: UnlistedChats::default(),
        }
    }

    /// What the round has learned: whether the export API may be offered here, and the rest.
    pub fn into_round(self) -> RoundState {
        RoundState { export: self.export.may_be_offered(), ..self.round }
    }

    pub fn known_name<'s>(&self, scope: &'s str) -> &'s str {
        self.family.known_name(scope)
    }

    /// A channel is known as long as its team is: when a team is left out, so are its channels.
    fn is_known(&self, child: &str, is_exported: bool) -> bool {
        let known = self.round.known();
        let parent = child.split_once('/').map_or("", |(parent, _)| parent);
        let is_parent_known = self.family == Family::Chats || is_exported || known.contains(parent);
        is_parent_known && known.contains(self.known_name(child))
    }

    /// A child's messages are read back to here; `None` for all of them.
    fn bound(&self, item: &WorkItem) -> Option<Timestamp> {
        let since = self.read_up_to(item);
        since
            .map_or(self.context.options.start_date, |since| Some(before(since, signed(self.context.options.lookback))))
    }

    /// Up to where a child has been read; `None` when it has not.
    fn read_up_to(&self, item: &WorkItem) -> Option<Timestamp> {
        if !self.is_known(&item.scope, item.exported) {
            return None;
        }
        let since = self.round.since_of(self.known_name(&item.scope));
        if !item.exported {
            return since;
        }
        // An export just read may lack the last day.
        let fresh = before(self.round.until, EXPORT_LAG);
        Some(since.map_or(fresh, |since| since.min(fresh)))
    }

    pub fn is_parent_named(&self) -> bool {
        self.family.is_parent_named(&self.context.options)
    }

    fn is_child_named(&self) -> bool {
        self.family.is_child_named(&self.context.options)
    }

    /// Lists are read, and the export beside them.
    fn may_export(&self) -> bool {
        self.ways.may_export() && self.export.may_be_offered()
    }

    pub async fn list_children(&self, item: &mut WorkItem) -> Result<()> {
        children::list(self.context, self.family, self.round.until, item).await?;
        if std::mem::take(&mut item.is_doubtful) {
            self.round.known().doubt(&item.scope);
        }
        Ok(())
    }

    async fn parent(&self, item: &mut WorkItem) -> Result<Step> {
        if self.round.phase == Phase::Sweep && !item.refused && item.after_child.is_none() {
            let from = self.round.swept_of(&item.scope).map(|swept| before(swept, EXPORT_LAG));
            return Ok(Step::Split(vec![item.window(Window::new(from, self.round.until))]));
        }
        if item.is_fresh() {
            self.round.known().begin_anew(&item.scope);
        }
        if self.ways.is_export_only() {
            return Ok(Step::Split(vec![item.window(self.export_window(&item.scope))]));
        }
        self.list_children(item).await?;
        if self.round.phase == Phase::Sweep && item.after_child.is_none() {
            self.forget_due(item, |_| true);
        }
        let is_begun = item.exported || item.refused || item.after_child.is_some();
        if !is_begun && self.may_export() && is_sweep_due(self.round.swept, self.round.until) {
            // The sweep to come may not hold these.
            self.forget_due(item, |child| child.is_special);
        }
        if !is_begun && self.is_history_exported(item) {
            let window = Window::new(self.context.options.start_date, self.round.until);
            return Ok(Step::Split(vec![WorkItem { children: item.children.clone(), ..item.window(window) }]));
        }
        Ok(self.next_child(item))
    }

    /// Without lists each round covers the export's lag again.
    fn export_window(&self, parent: &str) -> Window {
        let is_known = self.round.known().contains(parent);
        let from = match self.round.since_of(parent) {
            Some(since) if is_known => Some(before(since, EXPORT_LAG)),
            _ => self.context.options.start_date,
        };
        Window::new(from, self.round.until)
    }

    /// Nothing of this parent has been read, and its history can be exported.
    fn is_history_exported(&self, item: &WorkItem) -> bool {
        if self.round.phase == Phase::Sweep || !self.ways.exports_history() || !self.export.may_be_offered() {
            return false;
        }
        // A chat that no list shows stands in the exports of its members only: each of them is asked, whatever another has
        // brought of the chats that are listed.
        if self.takes_unlisted_chats() {
            return !self.round.known().contains(&item.scope);
        }
        let mut ordinary = item.listed_children().filter(|child| !child.is_special).peekable();
        ordinary.peek().is_some() && ordinary.all(|child| !self.is_known(&item.child_scope(child), false))
    }

    /// Chats that no list shows are wanted: those of other tenants, and those that a user has left.
    fn takes_unlisted_chats(&self) -> bool {
        self.family == Family::Chats && self.ways.exports_history() && self.context.options.takes_all_chats()
    }

    /// Takes the next child off the parent.
    fn next_child(&self, item: &WorkItem) -> Step {
        let is_left = |child: &&Child| item.after_child.as_ref().is_none_or(|after| child.id > *after);
        let next = item.listed_children().filter(is_left).find(|child| self.is_due(item, child));
        let Some(child) = next else { return Step::Done };
        let parent = WorkItem { after_child: Some(child.id.clone()), ..item.clone() };
        Step::Split(vec![item.child(&child.id), parent])
    }

    /// Whether a child has to be asked at all. A sweep without export asks those whose turn it is to be read whole.
    fn is_due(&self, item: &WorkItem, child: &Child) -> bool {
        let scope = item.child_scope(child);
        if self.is_standing(&scope) {
            return false;
        }
        if self.round.phase == Phase::Sweep && self.round.known().contains(self.known_name(&scope)) {
            return false;
        }
        if self.family == Family::Channels {
            return true;
        }
        if !self.seen_chats.insert(&child.id) {
            return false;
        }
        let probe = WorkItem { exported: item.exported, ..item.child(&child.id) };
        let is_known = self.round.known().contains(&child.id);
        // An edit moves no preview. Only where a sweep finds it later, a chat that looks quiet need not be asked.
        let is_swept = self.may_export() && !item.refused && !self.is_child_named();
        let is_quiet = child.active.zip(self.bound(&probe)).is_some_and(|(active, bound)| active < bound);
        if is_known && is_swept && is_quiet {
            self.round.known().confirm(&child.id);
            return false;
        }
        true
    }

    /// Whether a child's first history is half-read by an item of its own, or has failed in this round.
    fn is_standing(&self, scope: &str) -> bool {
        let name = self.known_name(scope);
        self.round.standing.iter().any(|standing| self.known_name(standing) == name)
    }

    /// The parent's export has been read to its end: the children it holds are known now.
    pub fn mark_complete(&self, parent: &WorkItem) {
        // An export that an earlier round began lacks what came since, and what it did not hold yet.
        let stood = parent.history_until.map(|until| before(until, EXPORT_LAG));
        let mut known = self.round.known();
        for child in parent.listed_children() {
            known.complete_pending(self.known_name(&parent.child_scope(child)), stood);
        }
    }

    /// Lists stand in for the parent's export.
    pub fn is_spoiled(&self, parent: &str) -> bool {
        self.round.known().is_spoiled(parent)
    }

    /// Late edits of old replies can't be seen in children that no export holds, so each of them is read whole once in
    /// `resweep_days`: what is not known is read from the start.
    fn forget_due(&self, item: &WorkItem, is_concerned: impl Fn(&Child) -> bool) {
        let days = days(self.round.swept_of(&item.scope).unwrap_or(self.round.until), self.round.until);
        let mut due = self.round.known().clone();
        due.forget_due(days, self.context.options.resweep_days);
        let mut known = self.round.known();
        for child in item.listed_children().filter(|child| is_concerned(child)) {
            let scope = item.child_scope(child);
            let name = self.known_name(&scope);
            if !due.contains(name) {
                known.remove(name);
            }
        }
    }

    async fn export(&self, item: &mut WorkItem, window: Window) -> Result<Step> {
        if self.is_listed_instead(&item.scope) || self.round.phase == Phase::Read && self.is_spoiled(&item.scope) {
            return Ok(Step::Done);
        }
        let turn = self.export.turn().await;
        if !self.ways.is_export_only() && !self.export.may_be_offered() {
            return Ok(self.list_instead(item));
        }
        let error = match self.export_window_page(item, window).await {
            Err(error) => error,
            step => {
                self.export.succeeded();
                return step;
            }
        };
        let is_first_page = item.link.is_none() && item.rows == 0;
        let is_restarted = !is_first_page && is_dead_link(&error) && !item.tries.restarted;
        let has_other_way = !is_restarted && !self.ways.is_export_only();
        // Lists show no late edits, so that a sweep that fails is asked for again. A refusal would be the same then.
        let is_sweep = self.round.phase == Phase::Sweep;
        let stands_in = |refusal: &Refusal| has_other_way && !(is_sweep && *refusal == Refusal::Broken);
        // An export that has answered is offered.
        let met = |refusal| if is_first_page { refusal } else { Refusal::Broken };
        let Some(refusal) = export_refusal(&error).map(met).filter(stands_in) else {
            let error = if self.ways.is_export_only() { with_other_strategy(error) } else { error };
            return self.context.on_error(item, error, self.is_parent_named());
        };
        if refusal == Refusal::Broken {
            let why = match (error.status(), &error) {
                (Some(status), _) => format!("status {status}"),
                (None, Error::Protocol(_)) => "no page that can be read".to_owned(),
                (None, _) => "no answer in time".to_owned(),
            };
            let instead = match self.family {
                Family::Channels => "its channels are listed instead",
                Family::Chats => "its chats are listed instead; those that no list shows are missing",
            };
            self.context
                .report()
                .note(format!("the slow way: the export of {} fails each time ({why}), so {instead}", item.scope));
        }
        if refusal == Refusal::Forbidden && self.takes_unlisted_chats() {
            self.context.report().note(
                "the export of some users is refused (403), so their chats are listed instead; those that no list shows \
                 are missing",
            );
        }
        if self.export.refused(refusal, turn) {
            self.context.report().note(format!(
                "the export API (getAllMessages) is not offered here (status {}): messages are listed instead, and \
                 late edits of old replies are found by re-reading everything every {} days",
                error.status().unwrap_or_default(),
                self.context.options.resweep_days
            ));
        }
        Ok(self.list_instead(item))
    }

    /// The parent again, whose children are listed because no export of it is to be had. What is left of it is not read, and
    /// what was read of it makes no child known.
    fn list_instead(&self, item: &WorkItem) -> Step {
        self.listed_instead.lock().insert(item.scope.clone());
        if self.round.phase == Phase::Read {
            self.round.known().spoil(&item.scope);
        }
        let children = item.children.clone();
        Step::Split(vec![WorkItem { refused: true, children, ..WorkItem::parent(&item.scope) }])
    }

    fn is_listed_instead(&self, parent: &str) -> bool {
        self.listed_instead.lock().contains(parent)
    }

    async fn export_window_page(&self, item: &mut WorkItem, window: Window) -> Result<Step> {
        let export = Export {
            context: self.context,
            family: self.family,
            round: &self.round,
            ways: self.ways,
            unlisted_chats: &self.unlisted_chats,
        };
        if export.needs_children(item) {
            self.list_children(item).await?;
        }
        export.step(item, window).await
    }

    /// The parent has been read, or lists have stood in for it.
    fn parent_done(&self, parent: &str) {
        let mut known = self.round.known();
        known.begin_anew(parent);
        known.keep_owed_sweep(parent);
        known.parent_done(parent, self.family == Family::Channels || self.takes_unlisted_chats());
    }

    /// An item of a scope that has never been read whole.
    fn is_history(&self, item: &WorkItem) -> bool {
        if self.round.phase != Phase::Read {
            return false;
        }
        match item.stage {
            Stage::Parent => false,
            Stage::Child => self.read_up_to(item).is_none(),
            Stage::Export(_) => !self.ways.is_export_only() || !self.round.known().contains(&item.scope),
        }
    }

    /// Whether something of the history that an item is of has been read.
    fn is_begun(&self, item: &WorkItem) -> bool {
        let until = item.history_until.unwrap_or(self.round.until);
        let whole = Window::new(self.context.options.start_date, until);
        item.link.is_some() || matches!(item.stage, Stage::Export(window) if window != whole)
    }

    async fn child(&self, item: &mut WorkItem) -> Result<Step> {
        let bound = self.bound(item);
        match self.family {
            Family::Channels => channel::step(self.context, item, bound, self.ways.uses_delta(), &self.refused).await,
            Family::Chats => chat::step(self.context, item, bound).await,
        }
    }
}

impl Reader for Conversations<'_> {
    fn step<'a>(&'a self, item: &'a mut WorkItem) -> BoxFuture<'a, Result<Step>> {
        Box::pin(async move {
            let (result, is_named) = match item.stage {
                Stage::Parent => (self.parent(item).await, self.is_parent_named()),
                Stage::Export(window) => return self.export(item, window).await,
                Stage::Child => (self.child(item).await, self.is_child_named()),
            };
            result.or_else(|error: Error| self.context.on_error(item, error, is_named))
        })
    }

    fn finished(&self, last: &WorkItem) -> Option<WorkItem> {
        match last.stage {
            Stage::Child => match last.history_until {
                Some(stood) => {
                    self.round.known().insert_late(self.known_name(&last.scope), stood);
                    // What came since is at the beginning of the list.
                    let next = WorkItem { history_until: None, ..last.clone() }.begun_anew();
                    return self.is_known(&last.scope, last.exported).then_some(next);
                }
                None => self.round.known().insert(self.known_name(&last.scope)),
            },
            Stage::Export(_) | Stage::Parent if self.round.phase == Phase::Sweep => {
                self.round.known().sweep_done(&last.scope);
            }
            Stage::Export(_) if self.is_listed_instead(&last.scope) => self.parent_done(&last.scope),
            // It is begun anew by the next round, or goes on there.
            Stage::Export(_) if self.is_spoiled(&last.scope) || self.round.failed_exports.contains(&last.scope) => {}
            Stage::Export(_) if self.ways.is_export_only() => {
                if let Some(stood) = last.history_until {
                    self.round.known().insert_late(&last.scope, stood);
                    return Some(WorkItem::parent(&last.scope).window(self.export_window(&last.scope)));
                }
                self.round.known().insert(&last.scope);
            }
            Stage::Export(_) => {
                self.mark_complete(last);
                let (children, seen_keys) = (last.children.clone(), last.seen_keys.clone());
                return Some(WorkItem { exported: true, children, seen_keys, ..WorkItem::parent(&last.scope) });
            }
            Stage::Parent => self.parent_done(&last.scope),
        }
        None
    }

    fn failed(&self, item: &WorkItem) -> Option<WorkItem> {
        let (since, swept) = (self.round.since_of(&item.scope), self.round.swept_of(&item.scope));
        let stood = if item.stage == Stage::Child { self.read_up_to(item) } else { since };
        let is_history = self.is_history(item);
        let goes_on = is_history && item.tries.stalls < MAX_STALLS && self.is_begun(item);
        let mut known = self.round.known();
        if self.round.phase == Phase::Sweep && item.stage != Stage::Child {
            known.owe_sweep(&item.scope, swept);
        } else {
            known.fail(self.known_name(&item.scope), stood.filter(|_| !is_history));
            if item.stage == Stage::Parent && self.may_export() && is_sweep_due(self.round.swept, self.round.until) {
                // It may be the turn of children that the sweep to come does not hold.
                known.owe_sweep(&item.scope, swept);
            }
            if is_history && !goes_on && item.stage != Stage::Child {
                known.spoil(&item.scope);
            }
        }
        goes_on.then(|| WorkItem { history_until: item.history_until.or(Some(self.round.until)), ..item.clone() })
    }

    fn skipped(&self, last: &WorkItem) {
        // Children that are not met are forgotten at the round's end, and those of a team with it.
        self.round.known().remove(self.known_name(&last.scope));
    }
}
