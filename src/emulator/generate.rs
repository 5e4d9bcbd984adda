//! The tenant a seed stands for: users, groups, teams and channels. Equal seeds give equal tenants, byte for byte.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use uuid::Builder;

use super::clock::iso;
use super::compose::Composer;
use super::config::EmulatorConfig;
use super::generate_chats::{add_chat, pick_chat_members};
use super::tenant::{Access, Channel, Group, Member, Membership, Object, Role, Team, Tenant, Thread, User};
use super::words::{CHANNELS, DEPARTMENTS, FAMILY, GIVEN, TEAMS, TITLES};

pub const DAY_MS: i64 = 86_400_000;

pub fn guid(rng: &mut StdRng) -> String {
    Builder::from_random_bytes(rng.random()).into_uuid().to_string()
}

pub fn pick<'a, T: ?Sized>(rng: &mut StdRng, from: &[&'a T]) -> &'a T {
    from[rng.random_range(0..from.len())]
}

pub fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => map,
        _ => Object::new(),
    }
}

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
    fill(&mut tenant, config, &mut rng);
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

pub fn add_user(tenant: &mut Tenant, rng: &mut StdRng, created_ms: i64) -> usize {
    let id = guid(rng);
    let (given, family) = (pick(rng, GIVEN), pick(rng, FAMILY));
    let n = tenant.users.len();
    let guest = n % 11 == 10;
    let upn = if guest {
        format!("guest{n}_elsewhere.example#EXT#@{}", tenant.domain)
    } else {
        format!("user{n}@{}", tenant.domain)
    };
    let phones = if n.is_multiple_of(3) { json!([format!("+1 555 01{:02}", n % 100)]) } else { json!([]) };
    let properties = object(json!({
        "id": id,
        "businessPhones": phones,
        "displayName": format!("{given} {family}"),
        "givenName": given,
        "jobTitle": if n.is_multiple_of(4) { Value::Null } else { json!(pick(rng, TITLES)) },
        "mail": if guest { Value::Null } else { json!(upn) },
        "mobilePhone": null,
        "officeLocation": if n.is_multiple_of(2) { json!(format!("{}/{}", n % 9, 1000 + n)) } else { Value::Null },
        "preferredLanguage": "en-US",
        "surname": family,
        "userPrincipalName": upn,
        "accountEnabled": n % 17 != 16,
        "assignedPlans": [],
        "city": null,
        "companyName": "Emulated",
        "country": "NL",
        "createdDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "deletedDateTime": null,
        "department": pick(rng, DEPARTMENTS),
        "employeeId": format!("E{n:05}"),
        "externalUserState": if guest { json!("Accepted") } else { Value::Null },
        "onPremisesSyncEnabled": null,
        "otherMails": [],
        "proxyAddresses": if guest { json!([]) } else { json!([format!("SMTP:{upn}")]) },
        "usageLocation": "NL",
        "userType": if guest { "Guest" } else { "Member" },
    }));
    tenant.user_index.insert(id.clone(), n);
    let seq = tenant.seq;
    tenant.users.push(User { id, properties, seq, born: seq, changes: Vec::new(), chats: Vec::new(), removal: None });
    n
}

pub fn add_team(tenant: &mut Tenant, rng: &mut StdRng, created_ms: i64, access: Access, members: usize) -> usize {
    let id = guid(rng);
    let n = tenant.teams.len();
    let name = format!("{} {n}", TEAMS[n % TEAMS.len()]);
    let visibility = if n % 3 == 2 { "public" } else { "private" };
    let mut people: Vec<Member> = Vec::new();
    let start = rng.random_range(0..tenant.users.len());
    for step in 0..members.min(tenant.users.len()) {
        let user = (start + step) % tenant.users.len();
        if tenant.users[user].removal.is_some() {
            continue;
        }
        let guest = tenant.users[user].properties["userType"] == "Guest";
        let role = if people.is_empty() && !guest {
            Role::Owner
        } else if guest {
            Role::Guest
        } else {
            Role::Member
        };
        people.push(Member { user, role });
    }
    add_group(tenant, &id, &name, n, created_ms, visibility, &people);
    let properties = team_properties(tenant, &id, &name, n, created_ms, visibility);
    tenant.team_index.insert(id.clone(), n);
    tenant.teams.push(Team { id, properties, channels: Vec::new(), incoming: Vec::new(), members: people, access });
    n
}

fn add_group(
    tenant: &mut Tenant,
    id: &str,
    name: &str,
    n: usize,
    created_ms: i64,
    visibility: &str,
    people: &[Member],
) {
    let nickname = format!("team{n}");
    let mail = format!("{nickname}@{}", tenant.domain);
    let properties = object(json!({
        "id": id,
        "deletedDateTime": null,
        "classification": null,
        "createdDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "creationOptions": ["Team", "ExchangeProvisioningFlags:3552"],
        "description": format!("The group of {name}"),
        "displayName": name,
        "expirationDateTime": null,
        "groupTypes": ["Unified"],
        "isAssignableToRole": null,
        "mail": mail,
        "mailEnabled": true,
        "mailNickname": nickname,
        "membershipRule": null,
        "preferredLanguage": null,
        "proxyAddresses": [format!("SMTP:{mail}")],
        "renewedDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "resourceBehaviorOptions": ["HideGroupInOutlook"],
        "resourceProvisioningOptions": ["Team"],
        "securityEnabled": false,
        "theme": null,
        "visibility": if visibility == "public" { "Public" } else { "Private" },
    }));
    let owners = people.iter().filter(|member| member.role == Role::Owner).map(|member| member.user).collect();
    let members = people.iter().map(|member| member.user).collect();
    tenant.group_index.insert(id.to_owned(), tenant.groups.len());
    let seq = tenant.seq;
    let (is_team, removal, member_changes) = (true, None, Vec::new());
    tenant.groups.push(Group {
        id: id.to_owned(),
        properties,
        seq,
        born: seq,
        members,
        owners,
        member_changes,
        is_team,
        removal,
    });
}

fn team_properties(tenant: &Tenant, id: &str, name: &str, n: usize, created_ms: i64, visibility: &str) -> Object {
    let thread = format!("19:{}@thread.tacv2", id.replace('-', ""));
    object(json!({
        "id": id,
        "createdDateTime": iso(created_ms + n as i64 * 61_237),
        "displayName": name,
        "description": if n % 4 == 3 { Value::Null } else { json!(format!("What {name} works on – \"all\" of it")) },
        "internalId": thread,
        "classification": null,
        "specialization": "none",
        "visibility": visibility,
        "webUrl": format!("https://teams.microsoft.com/l/team/{thread}/conversations?groupId={id}&tenantId={}", tenant.id),
        "isArchived": n == 1,
        "tenantId": tenant.id,
        "isMembershipLimitedToOwners": false,
        "memberSettings": {
            "allowCreateUpdateChannels": true, "allowCreatePrivateChannels": true, "allowDeleteChannels": n.is_multiple_of(2),
            "allowAddRemoveApps": true, "allowCreateUpdateRemoveTabs": true, "allowCreateUpdateRemoveConnectors": true,
        },
        "guestSettings": {"allowCreateUpdateChannels": false, "allowDeleteChannels": false},
        "messagingSettings": {
            "allowUserEditMessages": true, "allowUserDeleteMessages": true, "allowOwnerDeleteMessages": true,
            "allowTeamMentions": true, "allowChannelMentions": true,
        },
        "funSettings": {
            "allowGiphy": true, "giphyContentRating": "moderate", "allowStickersAndMemes": true, "allowCustomMemes": true,
        },
        "discoverySettings": {"showInTeamsSearchAndSuggestions": true},
        "summary": null,
    }))
}

pub fn add_channel(tenant: &mut Tenant, rng: &mut StdRng, team: usize, n: usize, created_ms: i64) -> usize {
    let id = format!("19:{:032x}@thread.tacv2", rng.random::<u128>());
    let name = if n == 0 { "General".to_owned() } else { format!("{} {n}", CHANNELS[n % CHANNELS.len()]) };
    // Every fourth channel is private; every second team shares its third one.
    let membership = match n % 4 {
        1 => Membership::Private,
        2 if team.is_multiple_of(2) => Membership::Shared,
        _ => Membership::Standard,
    };
    let owner = &tenant.teams[team];
    let members = if membership == Membership::Standard {
        Vec::new()
    } else {
        owner.members.iter().take(owner.members.len().div_ceil(2)).cloned().collect()
    };
    let url_id = id.replace(':', "%3A").replace('@', "%40");
    let properties = object(json!({
        "id": id,
        "createdDateTime": iso(created_ms + 120_011 + n as i64 * 3_605_117),
        "displayName": name,
        "description": if n.is_multiple_of(2) { json!(format!("About {name}")) } else { Value::Null },
        "isFavoriteByDefault": null,
        "email": format!("{:08x}.{}@emea.teams.ms", rng.random::<u32>(), tenant.domain),
        "tenantId": tenant.id,
        "webUrl": format!("https://teams.microsoft.com/l/channel/{url_id}/c?groupId={}&tenantId={}", owner.id, tenant.id),
        "membershipType": match membership {
            Membership::Standard => "standard",
            Membership::Private => "private",
            Membership::Shared => "shared",
        },
        "isArchived": owner.properties["isArchived"],
        "layoutType": "post",
        "migrationMode": null,
        "originalCreatedDateTime": null,
    }));
    let channels = &mut tenant.teams[team].channels;
    channels.push(Channel { id, properties, membership, members, thread: Thread::default(), removed: false });
    channels.len() - 1
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
