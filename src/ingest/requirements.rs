//! Which options a table needs, checked before any request.

use crate::messages::strategy::Ways;
use crate::state::round_kind::Family;
use teams_base::error::{Error, Result};
use teams_base::options::TableOptions;
use teams_tables::{Archive, Meetings, Parent, Reading, Table};

/// Checks that the options say what is to be read.
pub fn check(table: &Table, options: &TableOptions) -> Result<()> {
    match table.reading {
        Reading::Teams
        | Reading::Chats
        | Reading::Archive(Archive::DeletedTeams)
        | Reading::Meetings(Meetings::CallRecords)
        | Reading::Report(_)
        | Reading::DirectoryDelta(_) => Ok(()),
        Reading::List(list) => parents(table, options, list.parent),
        Reading::Archive(Archive::Retained) => teams(table, options),
        Reading::ChannelMessages => {
            teams(table, options)?;
            channels(table, options)?;
            threads(table, options)
        }
        Reading::ChatMessages => chats(table, options),
        Reading::Meetings(Meetings::Transcripts | Meetings::Recordings) => organizers(table, options),
    }
}

fn parents(table: &Table, options: &TableOptions, parent: Parent) -> Result<()> {
    match parent {
        Parent::Tenant => Ok(()),
        Parent::Team => teams(table, options),
        Parent::Channel | Parent::SharedChannel => teams(table, options).and_then(|()| channels(table, options)),
        Parent::Chat => chats(table, options),
        Parent::User => users(table, options),
        Parent::Group | Parent::MailGroup => groups(table, options),
        Parent::Item(list) => parents(table, options, list.parent),
    }
}

fn missing(table: &Table, options: &str, example: &str) -> Error {
    Error::configuration(format!("table '{}' needs {options}: for instance {example}", table.name))
}

fn teams(table: &Table, options: &TableOptions) -> Result<()> {
    if options.team_ids.is_empty() && !options.fetch_all_teams {
        return Err(missing(table, "team_id or fetch_all_teams", "fetch_all_teams=true"));
    }
    if !options.team_ids.is_empty() && options.fetch_all_teams {
        return Err(contradiction(table, "team_id", "fetch_all_teams"));
    }
    Ok(())
}

fn contradiction(table: &Table, named: &str, all: &str) -> Error {
    Error::configuration(format!(
        "table '{}': {named} names some and {all}=true means all; give one of them",
        table.name
    ))
}

fn channels(table: &Table, options: &TableOptions) -> Result<()> {
    let discovers = options.fetch_all_channels || options.fetch_all_messages;
    if options.channel_ids.is_empty() && !discovers {
        return Err(missing(table, "channel_id or fetch_all_channels", "fetch_all_channels=true"));
    }
    if !options.channel_ids.is_empty() && options.fetch_all_channels {
        return Err(contradiction(table, "channel_id", "fetch_all_channels"));
    }
    if !options.channel_ids.is_empty() && options.team_ids.len() != 1 {
        return Err(Error::configuration(format!(
            "table '{}': channel_id names channels of one team, so give its team_id (got {} teams)",
            table.name,
            options.team_ids.len()
        )));
    }
    Ok(())
}

fn threads(table: &Table, options: &TableOptions) -> Result<()> {
    if options.message_ids.is_empty() {
        return Ok(());
    }
    if table.name != "message_replies" {
        return Err(Error::configuration(format!(
            "option 'message_id' names threads for message_replies; remove it from table '{}'",
            table.name
        )));
    }
    if options.channel_ids.len() != 1 {
        return Err(missing(table, "the one channel_id that message_id belongs to", "channel_id=19:..@thread.tacv2"));
    }
    Ok(())
}

fn organizers(table: &Table, options: &TableOptions) -> Result<()> {
    match (options.user_ids.is_empty(), options.fetch_all_users) {
        (true, false) => Err(missing(table, "user_id or fetch_all_users", "fetch_all_users=true")),
        (false, true) => Err(contradiction(table, "user_id", "fetch_all_users")),
        _ => Ok(()),
    }
}

fn chats(table: &Table, options: &TableOptions) -> Result<()> {
    let named = [!options.user_ids.is_empty(), !options.chat_ids.is_empty(), options.fetch_all_users];
    match named.iter().filter(|is_given| **is_given).count() {
        1 if !options.chat_ids.is_empty() && Ways::of(options, Family::Chats).is_export_only() => {
            Err(Error::configuration(
                "strategy=export reads users, not chats: give user_id instead of chat_id, or another strategy",
            ))
        }
        1 => Ok(()),
        0 => Err(missing(
            table,
            "fetch_all_users, user_id or chat_id, because chats are private",
            "user_id=adele@contoso.com",
        )),
        _ => Err(Error::configuration(format!(
            "table '{}': give one of fetch_all_users, user_id and chat_id",
            table.name
        ))),
    }
}

fn users(table: &Table, options: &TableOptions) -> Result<()> {
    match (options.user_ids.is_empty(), options.fetch_all_users) {
        (true, false) => Err(missing(table, "user_id or fetch_all_users", "fetch_all_users=true")),
        (false, true) => Err(contradiction(table, "user_id", "fetch_all_users")),
        _ => Ok(()),
    }
}

/// A team is a group of the same id.
fn groups(table: &Table, options: &TableOptions) -> Result<()> {
    let given = [
        !options.group_ids.is_empty(),
        options.fetch_all_groups,
        !options.team_ids.is_empty(),
        options.fetch_all_teams,
    ];
    match given.iter().filter(|is_given| **is_given).count() {
        1 => Ok(()),
        0 => Err(missing(table, "group_id, fetch_all_groups, team_id or fetch_all_teams", "fetch_all_teams=true")),
        _ => Err(Error::configuration(format!(
            "table '{}': give one of group_id, fetch_all_groups, team_id and fetch_all_teams",
            table.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use teams_base::options::{Strictness, parse_table};
    use teams_tables::find;

    fn check_with(table: &str, options: &[(&str, &str)]) -> Result<()> {
        let pairs = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (options, _) = parse_table(pairs, Strictness::Strict)?;
        check(find(table)?, &options)
    }

    #[test]
    fn what_is_missing_is_named() {
        for (table, options, named) in [
            ("channels", &[][..], "fetch_all_teams"),
            ("members", &[], "team_id"),
            ("messages", &[("team_id", "a")], "fetch_all_channels"),
            ("messages", &[("fetch_all_teams", "true"), ("channel_id", "c")], "team_id"),
            ("messages", &[("team_id", "a"), ("channel_id", "c"), ("message_id", "1")], "message_replies"),
            ("message_replies", &[("team_id", "a"), ("fetch_all_channels", "true"), ("message_id", "1")], "channel_id"),
            ("chat_messages", &[], "fetch_all_users"),
            ("channels", &[("team_id", "a"), ("fetch_all_teams", "true")], "give one"),
        ] {
            let message = check_with(table, options).unwrap_err().to_string();
            assert!(message.contains(named), "{table}: {message}");
        }
    }

    #[test]
    fn the_documented_combinations_pass() {
        for (table, options) in [
            ("teams", &[][..]),
            ("chats", &[("start_date", "2025-01-01"), ("top", "50")]),
            ("channels", &[("team_id", "a,b")]),
            ("messages", &[("team_id", "a"), ("channel_id", "c")]),
            ("messages", &[("fetch_all_teams", "true"), ("fetch_all_channels", "true")]),
            ("message_replies", &[("team_id", "a"), ("channel_id", "c"), ("fetch_all_messages", "true")]),
            ("message_replies", &[("team_id", "a"), ("channel_id", "c"), ("message_id", "1,2")]),
            ("chat_messages", &[("user_id", "u")]),
        ] {
            check_with(table, options).unwrap();
        }
    }
}
