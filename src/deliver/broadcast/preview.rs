//! Every recipient's card, before the first is sent: which cannot be made, and how large they are.

use serde::Serialize;

use super::job::Job;
use crate::card::check::check_size;
use crate::card::{Severity, check};
use crate::connector::State;
use teams_base::error::Result;

/// Reasons that are told.
const MOST_TOLD: usize = 10;

#[derive(Debug, Default, Serialize)]
pub struct Preview {
    /// Recipients whose card can be made, and who would get it.
    pub made: u64,
    pub refused: u64,
    /// Recipients and reasons, the first few.
    pub reasons: Vec<(String, String)>,
    /// Of the largest message, in UTF-16.
    pub largest_bytes: usize,
    /// What Teams would refuse, or leave out, of the first card that can be made.
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
}

impl Job {
    /// Makes all cards and sends none.
    pub fn preview(&self) -> Result<Preview> {
        let mut preview = Preview::default();
        for at in 0..self.recipients.len() {
            let recipient = self.recipients.get(at)?;
            if recipient.state != State::Queued {
                continue;
            }
            match self.message(&recipient) {
                Ok(message) => {
                    if preview.made == 0 {
                        for problem in check(&message.activity["attachments"][0]["content"]) {
                            let list = match problem.severity {
                                Severity::Error => &mut preview.errors,
                                Severity::Warning => &mut preview.warnings,
                            };
                            list.push(problem.to_string());
                        }
                    }
                    preview.made += 1;
                    preview.largest_bytes = preview.largest_bytes.max(check_size(&message.activity.to_string()).0);
                }
                Err((_, why)) => {
                    preview.refused += 1;
                    if preview.reasons.len() < MOST_TOLD {
                        preview.reasons.push((recipient.id, why));
                    }
                }
            }
        }
        Ok(preview)
    }
}
