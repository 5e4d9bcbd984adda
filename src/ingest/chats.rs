//! The table `chats`: every user's list, each chat once.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::conversations::{Round, before};
use super::engine::{Reader, Step};
use super::item::Item;
use super::job::{Job, into};
use super::roster::chats_request;
use teams_base::error::Result;
use teams_tables::{Context, Filter, KeySet, ListRows};

pub struct Chats<'j> {
    pub job: &'j Job,
    pub round: Round,
    given: Mutex<KeySet>,
}

impl<'j> Chats<'j> {
    pub fn new(job: &'j Job, round: Round) -> Self {
        Self { job, round, given: Mutex::default() }
    }

    /// Chats have no filter by time, so that the lists are read whole and what has not changed is left out here.
    fn bound(&self, user: &str) -> Option<Timestamp> {
        if !self.round.known().contains(user) {
            return self.job.options.start_date;
        }
        let lookback = SignedDuration::try_from(self.job.options.lookback).unwrap_or(SignedDuration::ZERO);
        Some(before(self.round.since?, lookback))
    }

    async fn page(&self, item: &mut Item) -> Result<Step> {
        let after = self.bound(&item.scope);
        let first = chats_request(self.job, &item.scope);
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        let page = self
            .job
            .page(&request, |builders, body| {
                let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
                let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
                let mut filter = Filter { after, seen: Some(&mut given), ..Filter::default() };
                into(body, &mut ListRows::new(rows, Context::default(), &mut filter))
            })
            .await?;
        self.job.advance(item, &request, &page)
    }
}

impl Reader for Chats<'_> {
    fn step<'a>(&'a self, item: &'a mut Item) -> BoxFuture<'a, Result<Step>> {
        Box::pin(async move {
            let is_named = !self.job.options.user_ids.is_empty();
            let result = self.page(item).await;
            result.or_else(|error| self.job.judge(item, error, is_named))
        })
    }

    fn finished(&self, last: &Item) -> Option<Item> {
        self.round.known().insert(&last.scope);
        None
    }

    fn skipped(&self, last: &Item) {
        self.round.known().remove(&last.scope);
    }
}
