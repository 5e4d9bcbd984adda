//! One option's text, checked against its declaration. Every refusal names the option, the value (never a secret's),
//! what is allowed and what to do.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use url::Url;

use super::Strictness;
use super::catalogue::{self, Door, Kind, OptionSpec};
use crate::cloud;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::text;

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Host(Url),
    Bool(bool),
    Int(u64),
    Float(f64),
    Time(Timestamp),
    List(Vec<String>),
}

/// The checked values of one door.
pub(super) struct Values(HashMap<&'static str, Value>);

impl Values {
    /// Sorts the pairs by their declarations. What belongs to the other door, or to the framework, is left alone.
    pub fn collect(
        pairs: impl IntoIterator<Item = (String, String)>,
        door: Door,
        strictness: Strictness,
    ) -> Result<(Self, Vec<String>)> {
        let mut values = HashMap::new();
        let mut warnings = Vec::new();
        let mut seen = HashMap::<String, String>::new();
        for (name, text) in pairs {
            if catalogue::belongs_to_framework(&name) {
                continue;
            }
            if let Some(other) = seen.insert(name.to_ascii_lowercase(), name.clone()) {
                return Err(Error::configuration(format!(
                    "Option {name} is given twice (the other is written {other}): keep one"
                )));
            }
            match catalogue::find(&name) {
                Some(spec) if spec.door == door => {
                    values.insert(spec.name, parse(spec, &text)?);
                }
                Some(_) => {}
                None => match strictness {
                    Strictness::Strict => return Err(Error::Configuration(unknown(&name))),
                    Strictness::Lenient => warnings.push(unknown(&name)),
                },
            }
        }
        Ok((Self(values), warnings))
    }

    pub fn has(&self, name: &'static str) -> bool {
        self.0.contains_key(name)
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.0.remove(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn host(&mut self, name: &'static str) -> Option<Url> {
        match self.0.remove(name)? {
            Value::Host(url) => Some(url),
            _ => None,
        }
    }

    pub fn flag(&mut self, name: &'static str) -> bool {
        matches!(self.0.remove(name), Some(Value::Bool(true)))
    }

    pub fn int(&mut self, name: &'static str) -> Option<u64> {
        match self.0.remove(name)? {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    pub fn float(&mut self, name: &'static str) -> Option<f64> {
        match self.0.remove(name)? {
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    pub fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        match self.0.remove(name)? {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    pub fn list(&mut self, name: &'static str) -> Vec<String> {
        match self.0.remove(name) {
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        }
    }
}

fn unknown(name: &str) -> String {
    let nearest = nearest(name, catalogue::CATALOGUE.iter().map(|spec| spec.name));
    let name: String = name.chars().take(100).collect();
    match nearest {
        Some(nearest) => format!("Unknown option {name:?}: did you mean {nearest}?"),
        None => format!("Unknown option {name:?}: remove it, or see the list of options in the documentation"),
    }
}

/// The refusal of a value.
pub(super) fn refuse(spec: &OptionSpec, text: &str, why: &str) -> Error {
    let shown = match spec.kind {
        Kind::Secret => "its value".to_owned(),
        // What stands before the @ may be a password.
        Kind::Host | Kind::Address if text.contains('@') => "its value".to_owned(),
        _ => format!("{:?}", text.chars().take(100).collect::<String>()),
    };
    Error::Configuration(format!("Option {}: {shown} {why}. Allowed is {}", spec.name, spec.kind.allowed()))
}

fn parse(spec: &OptionSpec, text: &str) -> Result<Value> {
    let trimmed = text::word(text);
    if let Kind::Ids(discovery) = spec.kind {
        return ids(spec, trimmed, discovery);
    }
    if trimmed.is_empty() {
        return Err(refuse(spec, text, "is blank: give a value, or leave the option out"));
    }
    match spec.kind {
        Kind::Text => Ok(Value::Text(trimmed.to_owned())),
        // A secret may begin or end with a blank.
        Kind::Secret => Ok(Value::Text(text::value(text).to_owned())),
        Kind::Address => cloud::address(trimmed).map(Value::Host).map_err(|why| refuse(spec, text, why)),
        Kind::Host => cloud::host_address(trimmed).map(Value::Host).map_err(|why| refuse(spec, text, why)),
        Kind::Bool => boolean(trimmed).map(Value::Bool).ok_or_else(|| refuse(spec, text, "is neither true nor false")),
        Kind::Int(low, high) => whole(trimmed, low, high).map(Value::Int).map_err(|why| refuse(spec, text, why)),
        Kind::Float(low, high) => match trimmed.parse::<f64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(Value::Float(number)),
            Ok(_) => Err(refuse(spec, text, "is out of range")),
            Err(_) => Err(refuse(spec, text, "is not a number")),
        },
        Kind::Time => {
            timestamp(trimmed).map(Value::Time).ok_or_else(|| refuse(spec, text, "is neither a date nor a timestamp"))
        }
        Kind::Word(words) => {
            word(trimmed, words).map(Value::Text).ok_or_else(|| refuse(spec, text, "is not a known word"))
        }
        Kind::Words(words) => split(trimmed)
            .map(|item| word(item, words).ok_or_else(|| refuse(spec, item, "is not a known word")))
            .collect::<Result<_>>()
            .map(Value::List),
        Kind::Ids(_) => unreachable!("handled above"),
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn word(text: &str, words: &[&'static str]) -> Option<String> {
    words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(ToString::to_string)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn whole(text: &str, low: u64, high: u64) -> Result<u64, &'static str> {
    let number: i128 = text.parse().map_err(|_| "is not a whole number")?;
    match u64::try_from(number) {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err("is out of range"),
    }
}

/// A date means its midnight in UTC, and a time without an offset is UTC, as all of Graph's are.
fn timestamp(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = match text.parse::<Date>() {
        Ok(date) if text.len() <= "2025-01-31".len() => date.at(0, 0, 0, 0),
        _ => text.parse::<DateTime>().ok()?,
    };
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Identifiers become path segments, so what could leave a segment is refused; so are the words people try for "every one".
fn ids(spec: &OptionSpec, text: &str, discovery: Option<&str>) -> Result<Value> {
    let instead = |problem: &str| match discovery {
        Some(option) => format!("{problem}: name identifiers, or set {option}=true to read every one"),
        None => format!("{problem}: name identifiers, or leave the option out"),
    };
    let list: Vec<String> = split(text).map(str::to_owned).collect();
    if list.is_empty() {
        return Err(refuse(spec, text, &instead("is blank")));
    }
    for id in &list {
        if id == "*" || id.eq_ignore_ascii_case("all") {
            return Err(refuse(spec, id, &instead("is not an identifier")));
        }
        let odd = |c: char| c.is_control() || c.is_whitespace() || "/\\?#%".contains(c);
        if id.contains(odd) || id == "." || id == ".." {
            return Err(refuse(spec, id, &instead("is not an identifier")));
        }
    }
    Ok(Value::List(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_timestamps_are_utc_unless_they_say_otherwise() {
        for (text, expected) in [
            ("2025-01-31", "2025-01-31T00:00:00Z"),
            ("2025-01-31T08:15:00", "2025-01-31T08:15:00Z"),
            ("2025-01-31 08:15:00", "2025-01-31T08:15:00Z"),
            ("2025-01-31T08:15:00.123Z", "2025-01-31T08:15:00.123Z"),
            ("2025-01-31T08:15:00+02:00", "2025-01-31T06:15:00Z"),
        ] {
            assert_eq!(timestamp(text), Some(expected.parse().unwrap()), "{text}");
        }
        for bad in ["yesterday", "31.01.2025", "2025-13-01", "2025-01-31T25:00:00Z", "1738281600"] {
            assert_eq!(timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn whole_numbers_keep_their_range() {
        assert_eq!(whole("5", 1, 5), Ok(5));
        for bad in ["0", "6", "-1", "1.5", "", "99999999999999999999999"] {
            assert!(whole(bad, 1, 5).is_err(), "{bad}");
        }
    }
}
