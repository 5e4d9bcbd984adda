//! An ordinary message.

use rand::Rng;
use rand::rngs::StdRng;

use crate::generate::message::{Draft, user_identity};
use crate::generate::setting::Setting;
use crate::generate::words::{TEXT, pick};
use crate::tenant::clock::iso;
use crate::tenant::model::Sender;

/// An ordinary message by a member.
pub fn draft(rng: &mut StdRng, setting: &Setting<'_>, at: i64, reply_to: Option<i64>) -> Draft {
    let user = setting.member(rng);
    let words = rng.random_range(3..=setting.tenant.words.max(3));
    let mut content = String::with_capacity(words * 7);
    for n in 0..words {
        if n > 0 {
            content.push(' ');
        }
        content.push_str(pick(rng, TEXT));
    }
    let mut draft = Draft::new(at, reply_to);
    draft.sender = Sender::User(user);
    draft.from = user_identity(&setting.tenant.users[user].id, Some(setting.tenant.user_name(user)));
    draft.content = Some(format!("<p>{content}</p>"));
    if reply_to.is_none() && !setting.is_chat {
        draft.subject = (at % 4 == 0).then(|| format!("Subject of {}", iso(at)));
    }
    draft.history = (at % 2 == 0).then(Vec::new);
    draft
}
