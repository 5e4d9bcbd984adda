//! The tenant a seed stands for. Equal seeds give equal tenants, byte for byte.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::generate::chats::{add_chat, add_unlisted_chat, pick_chat_members};
use crate::generate::composer::Composer;
use crate::generate::directory::{add_channel, add_team, add_user};
use crate::generate::images;
use crate::tenant::clock::DAY_MS;
use crate::tenant::config::{EmulatorConfig, ImageAddress};
use crate::tenant::model::{Access, Membership, Tenant};

pub fn tenant(config: &EmulatorConfig) -> Tenant {
    let mut rng = StdRng::seed_from_u64(config.seed);
    let (id, domain) = (config.tenant_id.clone(), config.tenant_domain.clone());
    let mut tenant = Tenant { id, domain, words: config.words_per_message, ..Tenant::default() };
    let now = config.start.as_millisecond();
    let born = now - i64::from(config.history_days) * DAY_MS;
    for _ in 0..config.users.max(2) {
        add_user(&mut tenant, &mut rng, born);
    }
    let total = config.teams + config.missing_teams + config.forbidden_teams + config.empty_teams;
    for n in 0..total {
        let access = if n < config.teams {
            Access::Open
        } else if n < config.teams + config.missing_teams {
            Access::Missing
        } else if n < config.teams + config.missing_teams + config.forbidden_teams {
            Access::Forbidden
        } else {
            Access::Open
        };
        let team = add_team(&mut tenant, &mut rng, born, access, config.members_per_team);
        for channel in 0..config.channels_per_team.max(1) {
            add_channel(&mut tenant, &mut rng, team, channel, born);
        }
    }
    share_channels(&mut tenant);
    for n in 0..config.chats {
        let members = pick_chat_members(&mut tenant, &mut rng, n);
        add_chat(&mut tenant, &mut rng, n, members, born);
    }
    for n in 0..config.unlisted_chats {
        add_unlisted_chat(&mut tenant, &mut rng, n);
    }
    fill(&mut tenant, config, &mut rng);
    if config.image_address != ImageAddress::Own {
        images::readdress(&mut tenant, config.image_address);
    }
    tenant
}

fn fill(tenant: &mut Tenant, config: &EmulatorConfig, rng: &mut StdRng) {
    let mut composer = Composer::new(tenant, config);
    let mut big_left = config.big_threads;
    let first_empty = config.teams + config.missing_teams + config.forbidden_teams;
    for team in 0..tenant.teams.len() {
        let channels = tenant.teams[team].channels.len();
        for channel in 0..channels {
            let last = team + 1 == config.teams && channel + 1 == channels && config.empty_channel;
            if team >= first_empty || (last && team + channel > 0) {
                continue;
            }
            let big = if big_left > 0 && config.replies_per_message > 0.0 && team < config.teams {
                big_left -= 1;
                config.big_thread_replies
            } else {
                0
            };
            let messages = composer.channel(tenant, rng, team, channel, big);
            let thread = &mut tenant.teams[team].channels[channel].thread;
            thread.messages = messages;
            thread.index(config.knobs.bubble_edits);
        }
    }
    for chat in 0..tenant.chats.len() {
        let messages = composer.chat(tenant, rng, chat);
        tenant.chats[chat].thread.messages = messages;
        tenant.chats[chat].thread.index(config.knobs.bubble_edits);
    }
}

/// The next open team after a shared channel's host sees it as incoming.
fn share_channels(tenant: &mut Tenant) {
    let open: Vec<usize> = (0..tenant.teams.len()).filter(|&team| tenant.teams[team].access == Access::Open).collect();
    for pair in open.windows(2) {
        let (host, guest) = (pair[0], pair[1]);
        for channel in 0..tenant.teams[host].channels.len() {
            if tenant.teams[host].channels[channel].membership == Membership::Shared {
                tenant.teams[guest].incoming.push((host, channel));
            }
        }
    }
}
