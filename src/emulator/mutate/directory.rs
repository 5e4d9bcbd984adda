//! Changes to teams, channels, members, users and groups of a running tenant.

use rand::Rng;
use serde_json::{Value, json};

use crate::generate::directory::{add_channel, add_team, add_user};
use crate::generate::words::TITLES;
use crate::mutate::mutation::Touched;
use crate::mutate::mutator::{Conversation, Mutator};
use crate::tenant::clock::iso;
use crate::tenant::model::{Access, Event, Member, Object, Removal, Role, Step};

fn of(id: &str) -> Touched {
    Touched { id: id.to_owned(), ..Touched::default() }
}

/// One kind of change, done once.
type Kind<'m> = fn(&mut Mutator<'m>);

impl<'m> Mutator<'m> {
    pub fn directory(&mut self) {
        let asked = self.asked;
        let steps: [(usize, Kind<'m>); 15] = [
            (asked.restored_users, Self::restore_user),
            (asked.user_changes, Self::change_user),
            (asked.deleted_users, |it| it.remove_user(false)),
            (asked.purged_users, |it| it.remove_user(true)),
            (asked.restored_teams, Self::restore_team),
            (asked.deleted_teams, Self::delete_team),
            (asked.renamed_teams, Self::rename_team),
            (asked.archived_teams, Self::archive_team),
            (asked.deleted_channels, Self::delete_channel),
            (asked.renamed_channels, Self::rename_channel),
            (asked.member_adds, Self::add_member),
            (asked.member_removes, Self::remove_member),
            // What is new comes last, so that nothing else happens to it.
            (asked.new_users, Self::new_user),
            (asked.new_teams, Self::new_team),
            (asked.new_channels, Self::new_channel),
        ];
        for (times, step) in steps {
            for _ in 0..times {
                step(self);
            }
        }
    }

    fn new_user(&mut self) {
        let (now, _) = self.tick();
        let user = add_user(self.tenant, &mut self.rng, now);
        self.tell_user(user, Event::Came);
        let id = self.tenant.users[user].id.clone();
        self.note("new_users", of(&id));
    }

    /// Notes how the user is after the step that was just taken.
    fn tell_user(&mut self, user: usize, event: fn(Object) -> Event) {
        let seq = self.tenant.seq;
        let user = &mut self.tenant.users[user];
        user.steps.push(Step { seq, event: event(user.properties.clone()) });
    }

    fn is_asked_for(&self, user: usize) -> bool {
        self.asked.user_id.as_ref().is_none_or(|id| *id == self.tenant.users[user].id)
    }

    fn some_user(&mut self) -> Option<usize> {
        let live: Vec<usize> = (0..self.tenant.users.len())
            .filter(|&user| self.tenant.users[user].removal.is_none() && self.is_asked_for(user))
            .collect();
        self.pick_one(&live).copied()
    }

    fn change_user(&mut self) {
        let Some(user) = self.some_user() else { return };
        let (_, seq) = self.tick();
        let title = TITLES[self.rng.random_range(0..TITLES.len())];
        let changed = &mut self.tenant.users[user];
        changed.properties.insert("jobTitle".to_owned(), json!(format!("{title} {seq}")));
        changed.changes.push((seq, "jobTitle".to_owned()));
        changed.seq = seq;
        let id = changed.id.clone();
        self.tell_user(user, Event::Changed);
        self.note("user_changes", of(&id));
    }

    fn remove_user(&mut self, permanent: bool) {
        // At least two users remain.
        let left = self.tenant.users.iter().filter(|user| user.removal.is_none()).count();
        let Some(user) = self.some_user().filter(|_| left > 2) else {
            return;
        };
        let (at_ms, seq) = self.tick();
        let removal = Removal { at_ms, seq, permanent };
        self.tenant.users[user].removal = Some(removal);
        self.tenant.users[user].steps.push(Step { seq, event: Event::Left(removal) });
        let id = self.tenant.users[user].id.clone();
        self.note(if permanent { "purged_users" } else { "deleted_users" }, of(&id));
    }

    fn restore_user(&mut self) {
        let is_gone = |user: usize| self.tenant.users[user].removal.is_some_and(|removal| !removal.permanent);
        let gone = (0..self.tenant.users.len()).find(|&user| is_gone(user) && self.is_asked_for(user));
        let Some(user) = gone else { return };
        let (_, seq) = self.tick();
        self.tenant.users[user].removal = None;
        self.tenant.users[user].seq = seq;
        self.tenant.users[user].created_seq = seq;
        self.tell_user(user, Event::Came);
        let id = self.tenant.users[user].id.clone();
        self.note("restored_users", of(&id));
    }

    fn new_team(&mut self) {
        let (now, _) = self.tick();
        let n = self.tenant.teams.len() as i64;
        let team = add_team(self.tenant, &mut self.rng, now - n * 61_237, Access::Open, 12);
        add_channel(self.tenant, &mut self.rng, team, 0, now - 120_011);
        self.tell_group(self.tenant.group_of_team(team), Event::Came);
        let id = self.tenant.teams[team].id.clone();
        self.note("new_teams", of(&id));
    }

    fn some_team(&mut self) -> Option<usize> {
        let wanted = self.asked.team_id.clone();
        let open: Vec<usize> = self
            .tenant
            .live_teams()
            .filter(|(_, team)| team.access == Access::Open && wanted.as_ref().is_none_or(|id| *id == team.id))
            .map(|(at, _)| at)
            .collect();
        self.pick_one(&open).copied()
    }

    /// A change of a team's name or existence is a change of its group.
    fn touch_group(&mut self, team: usize, seq: u64) -> usize {
        let group = self.tenant.group_of_team(team);
        self.tenant.groups[group].seq = seq;
        group
    }

    /// Notes how the group is after the step that was just taken.
    fn tell_group(&mut self, group: usize, event: fn(Object) -> Event) {
        let seq = self.tenant.seq;
        let group = &mut self.tenant.groups[group];
        group.steps.push(Step { seq, event: event(group.properties.clone()) });
    }

    fn delete_team(&mut self) {
        let Some(team) = self.some_team() else { return };
        let (at_ms, seq) = self.tick();
        let group = self.touch_group(team, seq);
        let removal = Removal { at_ms, seq, permanent: false };
        self.tenant.groups[group].removal = Some(removal);
        self.tenant.groups[group].steps.push(Step { seq, event: Event::Left(removal) });
        let id = self.tenant.teams[team].id.clone();
        self.note("deleted_teams", of(&id));
    }

    fn restore_team(&mut self) {
        let is_wanted = |team: usize| {
            self.asked.team_id.as_ref().is_none_or(|id| *id == self.tenant.teams[team].id)
                && self.tenant.groups[self.tenant.group_of_team(team)].removal.is_some()
        };
        let gone = (0..self.tenant.teams.len()).find(|&team| is_wanted(team));
        let Some(team) = gone else { return };
        let (_, seq) = self.tick();
        let group = self.touch_group(team, seq);
        self.tenant.groups[group].removal = None;
        self.tenant.groups[group].created_seq = seq;
        self.tell_group(group, Event::Came);
        let id = self.tenant.teams[team].id.clone();
        self.note("restored_teams", of(&id));
    }

    fn set_team(&mut self, team: usize, key: &str, value: Value) {
        self.tenant.teams[team].properties.insert(key.to_owned(), value);
    }

    fn rename_team(&mut self) {
        let Some(team) = self.some_team() else { return };
        let (_, seq) = self.tick();
        let name = json!(format!("Renamed {seq}"));
        self.set_team(team, "displayName", name.clone());
        let group = self.touch_group(team, seq);
        self.tenant.groups[group].properties.insert("displayName".to_owned(), name);
        self.tell_group(group, Event::Changed);
        let id = self.tenant.teams[team].id.clone();
        self.note("renamed_teams", of(&id));
    }

    fn archive_team(&mut self) {
        let Some(team) = self.some_team() else { return };
        self.tick();
        self.set_team(team, "isArchived", json!(true));
        for channel in &mut self.tenant.teams[team].channels {
            channel.properties.insert("isArchived".to_owned(), json!(true));
        }
        let id = self.tenant.teams[team].id.clone();
        self.note("archived_teams", of(&id));
    }

    fn channel_touched(&self, team: usize, channel: usize) -> Touched {
        let team = &self.tenant.teams[team];
        Touched { id: team.channels[channel].id.clone(), team_id: Some(team.id.clone()), ..Touched::default() }
    }

    fn new_channel(&mut self) {
        let Some(team) = self.some_team() else { return };
        let (now, _) = self.tick();
        let n = self.tenant.teams[team].channels.len();
        let channel = add_channel(self.tenant, &mut self.rng, team, n, now - 120_011 - n as i64 * 3_605_117);
        let touched = self.channel_touched(team, channel);
        self.note("new_channels", touched);
    }

    /// Any channel but the first, which cannot be deleted.
    fn some_channel(&mut self) -> Option<(usize, usize)> {
        let conversations: Vec<(usize, usize)> = self
            .open_channels()
            .into_iter()
            .filter_map(|conversation| match conversation {
                Conversation::Channel(team, channel) if channel > 0 => Some((team, channel)),
                _ => None,
            })
            .collect();
        self.pick_one(&conversations).copied()
    }

    fn delete_channel(&mut self) {
        let Some((team, channel)) = self.some_channel() else {
            return;
        };
        self.tick();
        self.tenant.teams[team].channels[channel].removed = true;
        let touched = self.channel_touched(team, channel);
        self.note("deleted_channels", touched);
    }

    fn rename_channel(&mut self) {
        let Some((team, channel)) = self.some_channel() else {
            return;
        };
        let (now, _) = self.tick();
        let properties = &mut self.tenant.teams[team].channels[channel].properties;
        properties.insert("displayName".to_owned(), json!(format!("Renamed {}", iso(now))));
        let touched = self.channel_touched(team, channel);
        self.note("renamed_channels", touched);
    }

    fn member_touched(&self, team: usize, user: usize) -> Touched {
        let team_id = Some(self.tenant.teams[team].id.clone());
        Touched { id: self.tenant.users[user].id.clone(), team_id, ..Touched::default() }
    }

    fn add_member(&mut self) {
        let Some(team) = self.some_team() else { return };
        let outside: Vec<usize> = (0..self.tenant.users.len())
            .filter(|&user| self.tenant.users[user].removal.is_none())
            .filter(|&user| !self.tenant.teams[team].members.iter().any(|member| member.user == user))
            .collect();
        let Some(&user) = self.pick_one(&outside) else {
            return;
        };
        let (_, seq) = self.tick();
        self.tenant.teams[team].members.push(Member { user, role: Role::Member });
        let group = self.touch_group(team, seq);
        self.tenant.groups[group].members.push(user);
        self.tenant.groups[group].member_changes.push((seq, user, false));
        self.tell_group(group, Event::Changed);
        let touched = self.member_touched(team, user);
        self.note("member_adds", touched);
    }

    fn remove_member(&mut self) {
        let Some(team) = self.some_team() else { return };
        // The owner stays.
        let members = &self.tenant.teams[team].members;
        let inside: Vec<usize> =
            members.iter().filter(|member| member.role != Role::Owner).map(|member| member.user).collect();
        let Some(&user) = self.pick_one(&inside) else {
            return;
        };
        let (_, seq) = self.tick();
        self.tenant.teams[team].members.retain(|member| member.user != user);
        for channel in &mut self.tenant.teams[team].channels {
            channel.members.retain(|member| member.user != user);
        }
        let group = self.touch_group(team, seq);
        self.tenant.groups[group].members.retain(|member| *member != user);
        self.tenant.groups[group].member_changes.push((seq, user, true));
        self.tell_group(group, Event::Changed);
        let touched = self.member_touched(team, user);
        self.note("member_removes", touched);
    }
}
