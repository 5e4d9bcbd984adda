//! What Teams would refuse or leave out of a card, each with the element that it is about.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::schema::{self, Kind, NEWEST, Property, Role, Type};
use super::value::kind;
use teams_base::nearest::nearest;

/// A message that is larger comes through, and clients show it late; a Workflows webhook refuses it.
pub const LARGE_BYTES: usize = 28 * 1024;
/// Teams refuses about 100 KB of UTF-16 (413); what Teams adds to it must fit as well.
pub const MOST_BYTES: usize = 80 * 1024;
/// Buttons beyond these are behind a menu.
const MOST_ACTIONS: usize = 6;
/// Elements within each other.
const DEEPEST: usize = 64;
/// Problems of one card.
const MOST_PROBLEMS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The card is shown without it, or otherwise than meant.
    Warning,
    /// The card is refused, or not shown.
    Error,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer.
    pub pointer: String,
    /// The type of the element.
    pub element: String,
    pub severity: Severity,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the card" } else { &self.pointer };
        f.write_str(place)?;
        if !self.element.is_empty() && !self.pointer.is_empty() {
            write!(f, " ({})", self.element)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with a card, in the order of its elements. An expression that is not expanded yet may become
/// anything.
pub fn check(card: &Value) -> Vec<Problem> {
    let mut checker = Checker { problems: Vec::new(), version: NEWEST, ids: HashSet::new() };
    match card.as_object() {
        Some(object) if object.get("type").and_then(Value::as_str) == Some("AdaptiveCard") => {
            checker.version(object);
            if let Some(card) = schema::find("AdaptiveCard") {
                checker.object(object, card, "", 0);
            }
            if !["body", "actions"]
                .iter()
                .any(|name| object.get(*name).and_then(Value::as_array).is_some_and(|all| !all.is_empty()))
            {
                checker.add(
                    "",
                    "AdaptiveCard",
                    Severity::Error,
                    "it has neither a body nor actions, so there is nothing to show",
                );
            }
        }
        Some(_) => checker.add("", "", Severity::Error, "it is no Adaptive Card: its type is not \"AdaptiveCard\""),
        None => checker.add("", "", Severity::Error, format!("it is no Adaptive Card but {}", kind(card))),
    }
    checker.problems
}

/// The size of a message on its way, and what is wrong with it.
pub fn check_size(activity: &str) -> (usize, Option<Problem>) {
    let bytes = activity.encode_utf16().count() * 2;
    let problem =
        |severity, message: String| Problem { pointer: String::new(), element: String::new(), severity, message };
    let told = |limit: usize| format!("it takes {bytes} bytes in UTF-16, more than {limit}");
    let found = if bytes > MOST_BYTES {
        Some(problem(
            Severity::Error,
            told(MOST_BYTES) + ": shorten it, and name images by address instead of holding them",
        ))
    } else if bytes > LARGE_BYTES {
        Some(problem(Severity::Warning, told(LARGE_BYTES) + ": a Workflows webhook refuses it"))
    } else {
        None
    };
    (bytes, found)
}

struct Checker {
    problems: Vec<Problem>,
    version: (u8, u8),
    /// Ids of inputs.
    ids: HashSet<String>,
}

/// An expression that is not expanded.
fn is_bound(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("${"))
}

fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Checker {
    fn add(&mut self, pointer: &str, element: &str, severity: Severity, message: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            let (pointer, element) = (pointer.to_owned(), element.to_owned());
            self.problems.push(Problem { pointer, element, severity, message: message.into() });
        }
    }

    fn version(&mut self, card: &Map<String, Value>) {
        let Some(value) = card.get("version") else { return };
        let parsed = value.as_str().and_then(|text| {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse::<u8>().ok()?, minor.parse::<u8>().ok()?))
        });
        match parsed {
            None if is_bound(value) => {}
            None => self.add("/version", "AdaptiveCard", Severity::Error, "a version is a text such as \"1.5\""),
            Some(version) if version > NEWEST => {
                let message = format!("{}.{} is too new: Teams shows cards up to 1.5", version.0, version.1);
                self.add("/version", "AdaptiveCard", Severity::Error, message);
            }
            Some(version) => self.version = version,
        }
    }

    fn object(&mut self, object: &Map<String, Value>, of: &'static Type, pointer: &str, depth: usize) {
        if depth == DEEPEST {
            self.add(pointer, of.name, Severity::Error, "it is nested too deeply");
            return;
        }
        if of.since > self.version {
            let message = format!(
                "{} came with {}.{}, and the card says it is {}.{}: raise its version",
                of.name, of.since.0, of.since.1, self.version.0, self.version.1
            );
            self.add(pointer, of.name, Severity::Error, message);
        }
        for property in of.properties().filter(|property| property.required) {
            if object.get(property.name).is_none_or(Value::is_null) {
                self.add(pointer, of.name, Severity::Error, format!("{} is missing", property.name));
            }
        }
        for (name, value) in object {
            let at = step(pointer, name);
            match of.property(name) {
                _ if value.is_null() => {}
                Some(property) => self.property(property, value, of, &at, depth),
                // Of a template.
                None if matches!(name.as_str(), "$data" | "$when") => {}
                None => {
                    let near = nearest(name, of.properties().map(|property| property.name));
                    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                    self.add(
                        &at,
                        of.name,
                        Severity::Warning,
                        format!("{} has no {name}, so Teams leaves it out{hint}", of.name),
                    );
                }
            }
        }
        if of.role == Role::Input
            && let Some(id) = object.get("id").and_then(Value::as_str)
            && !id.contains("${")
            && !self.ids.insert(id.to_owned())
        {
            self.add(&step(pointer, "id"), of.name, Severity::Error, format!("another input has the id {id:?}"));
        }
    }

    fn property(&mut self, property: &Property, value: &Value, of: &'static Type, pointer: &str, depth: usize) {
        if property.since > self.version && of.since < property.since {
            let (major, minor) = property.since;
            let message = format!("{} came with {major}.{minor}, so this card is shown without it", property.name);
            self.add(pointer, of.name, Severity::Warning, message);
        }
        if is_bound(value) {
            return;
        }
        let name = property.name;
        let mut wrong =
            |what: &str| self.add(pointer, of.name, Severity::Error, format!("{name} is {}, not {what}", kind(value)));
        match property.kind {
            Kind::Text => match value {
                Value::String(_) => {}
                Value::Number(_) | Value::Bool(_) => {
                    let message = format!("{name} is {}, not a text: write it as ${{string(...)}}", kind(value));
                    self.add(pointer, of.name, Severity::Warning, message);
                }
                _ => wrong("a text"),
            },
            Kind::Number if !value.is_number() => wrong("a number"),
            Kind::Bool if !value.is_boolean() => wrong("a truth value"),
            Kind::Any | Kind::Number | Kind::Bool => {}
            Kind::Address => match value.as_str() {
                Some(text) => self.address(text, of, pointer),
                None => wrong("an address"),
            },
            Kind::AddressOr(other) => match value {
                Value::String(text) => self.address(text, of, pointer),
                Value::Object(_) => self.one(value, other, pointer, depth),
                _ => wrong("an address"),
            },
            Kind::Words(words) => match value.as_str() {
                Some(text) if words.iter().any(|word| word.eq_ignore_ascii_case(text)) => {}
                Some(text) => {
                    let text: String = text.chars().take(40).collect();
                    let message = format!("{name} is {text:?}, not one of {}", words.join(", "));
                    self.add(pointer, of.name, Severity::Warning, message);
                }
                None => wrong("a word"),
            },
            Kind::Action => self.action(value, pointer, depth + 1),
            Kind::Elements | Kind::Actions | Kind::Objects(_) | Kind::Inlines => match value.as_array() {
                Some(items) => self.items(property.kind, items, of, pointer, depth),
                None => wrong("a list"),
            },
            Kind::Object(other) => self.one(value, other, pointer, depth),
            Kind::Fallback => match value {
                Value::String(text) if text.eq_ignore_ascii_case("drop") => {}
                Value::Object(_) if of.role == Role::Action => self.action(value, pointer, depth + 1),
                Value::Object(_) => self.element(value, pointer, depth + 1),
                _ => wrong("an element or \"drop\""),
            },
        }
    }

    fn items(&mut self, of: Kind, items: &[Value], owner: &'static Type, pointer: &str, depth: usize) {
        if matches!(of, Kind::Actions) && items.len() > MOST_ACTIONS {
            let message = format!("{} actions: Teams shows six, and the others behind a menu", items.len());
            self.add(pointer, owner.name, Severity::Warning, message);
        }
        for (at, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{at}");
            match of {
                _ if is_bound(item) => {}
                Kind::Actions => self.action(item, &pointer, depth + 1),
                Kind::Objects(other) => self.one(item, other, &pointer, depth),
                Kind::Inlines if item.is_string() => {}
                Kind::Inlines => self.one(item, "TextRun", &pointer, depth),
                _ => self.element(item, &pointer, depth + 1),
            }
        }
    }

    /// An object whose kind is known from where it is.
    fn one(&mut self, value: &Value, name: &'static str, pointer: &str, depth: usize) {
        match (value.as_object(), schema::find(name)) {
            (Some(object), Some(of)) => {
                let said = object.get("type").and_then(Value::as_str);
                if said.is_some_and(|said| !said.eq_ignore_ascii_case(name)) {
                    self.add(pointer, name, Severity::Error, format!("only a {name} can stand here"));
                    return;
                }
                self.object(object, of, pointer, depth + 1);
            }
            _ => self.add(pointer, name, Severity::Error, format!("{} stands where a {name} is expected", kind(value))),
        }
    }

    fn element(&mut self, value: &Value, pointer: &str, depth: usize) {
        self.typed(value, false, pointer, depth);
    }

    fn action(&mut self, value: &Value, pointer: &str, depth: usize) {
        self.typed(value, true, pointer, depth);
    }

    fn typed(&mut self, value: &Value, action: bool, pointer: &str, depth: usize) {
        let what = if action { "an action" } else { "an element" };
        let Some(object) = value.as_object() else {
            self.add(pointer, "", Severity::Error, format!("{} stands where {what} is expected", kind(value)));
            return;
        };
        let Some(name) = object.get("type").and_then(Value::as_str) else {
            self.add(pointer, "", Severity::Error, format!("it has no type, so it is not {what}"));
            return;
        };
        if name.contains("${") {
            return;
        }
        let found = schema::find(name).filter(|found| match found.role {
            Role::Action => action,
            Role::Element | Role::Input => !action,
            Role::Card | Role::Part => false,
        });
        match found {
            Some(of) => self.object(object, of, pointer, depth),
            // A client that does not know it takes what stands there for it.
            None if object.get("fallback").is_some_and(|fallback| !fallback.is_null()) => {}
            None => {
                let shown: String = name.chars().take(60).collect();
                let hint = nearest(name, schema::names(action))
                    .map_or_else(String::new, |near| format!("; did you mean {near}?"));
                let newest = format!("{shown} is not {what} of cards up to 1.5{hint}");
                self.add(pointer, &shown, Severity::Error, newest);
            }
        }
    }

    fn address(&mut self, text: &str, of: &'static Type, pointer: &str) {
        let lower = text.trim_start().to_ascii_lowercase();
        let opens = of.role == Role::Action;
        let good: &[&str] = if opens {
            &["https://", "http://", "mailto:", "tel:", "msteams:"]
        } else {
            &["https://", "http://", "data:image/"]
        };
        if text.contains("${") || good.iter().any(|scheme| lower.starts_with(scheme)) {
            return;
        }
        let message = if opens {
            "an address begins with https:// or mailto:"
        } else {
            "an image's address begins with https://"
        };
        self.add(pointer, of.name, Severity::Error, message);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(card: &Value) -> Vec<String> {
        check(card).iter().map(ToString::to_string).collect()
    }

    fn card(body: Value) -> Value {
        json!({"type": "AdaptiveCard", "version": "1.5", "body": body})
    }

    #[test]
    fn a_good_card_has_no_problems() {
        let all = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.5",
            "msteams": {"width": "Full"},
            "body": [
                {"type": "TextBlock", "text": "T", "wrap": true, "size": "Large", "weight": "bolder", "style": "heading"},
                {"type": "ColumnSet", "columns": [{"type": "Column", "width": "auto", "items": [{"type": "Image", "url": "https://x/y.png"}]}]},
                {"type": "FactSet", "facts": [{"title": "a", "value": "b"}]},
                {"type": "RichTextBlock", "inlines": ["plain", {"type": "TextRun", "text": "bold", "weight": "Bolder"}]},
                {"type": "Input.ChoiceSet", "id": "who", "choices": [{"title": "A", "value": "a"}]},
                {"type": "Table", "columns": [{"width": 1}], "rows": [{"type": "TableRow", "cells": [{"type": "TableCell", "items": []}]}]},
                {"type": "Container", "$data": "${items}", "items": [{"type": "TextBlock", "text": "${name}", "wrap": "${flag}"}]},
                {"type": "Chart.Pie", "fallback": "drop"},
            ],
            "actions": [
                {"type": "Action.Execute", "title": "Go", "verb": "go", "data": {"a": 1}, "fallback": {"type": "Action.Submit", "title": "Go"}},
                {"type": "Action.ShowCard", "title": "More", "card": {"type": "AdaptiveCard", "version": "1.4", "body": []}},
                {"type": "Action.OpenUrl", "title": "Open", "url": "https://x"},
            ],
        });
        assert_eq!(said(&all), Vec::<String>::new());
    }

    #[test]
    fn every_problem_names_its_element() {
        for (card, expected) in [
            (json!([]), "the card: it is no Adaptive Card but a list"),
            (json!({"type": "MessageCard"}), "its type is not \"AdaptiveCard\""),
            (json!({"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "x"}]}), "version is missing"),
            (
                json!({"type": "AdaptiveCard", "version": "1.6", "body": [{"type": "TextBlock", "text": "x"}]}),
                "/version (AdaptiveCard): 1.6 is too new",
            ),
            (json!({"type": "AdaptiveCard", "version": "1.5"}), "nothing to show"),
            (
                card(json!([{"type": "TextBlok", "text": "x"}])),
                "/body/0 (TextBlok): TextBlok is not an element of cards up to 1.5; did you mean TextBlock?",
            ),
            (card(json!([{"type": "TextBlock"}])), "/body/0 (TextBlock): text is missing"),
            (
                card(json!([{"type": "TextBlock", "text": "x", "wrp": true}])),
                "/body/0/wrp (TextBlock): TextBlock has no wrp, so Teams leaves it out; did you mean wrap?",
            ),
            (
                card(json!([{"type": "TextBlock", "text": ["x"]}])),
                "/body/0/text (TextBlock): text is a list, not a text",
            ),
            (card(json!([{"type": "TextBlock", "text": 3}])), "write it as ${string(...)}"),
            (
                card(json!([{"type": "TextBlock", "text": "x", "color": "pink"}])),
                "color is \"pink\", not one of default",
            ),
            (
                card(json!([{"type": "Image", "url": "file:///x"}])),
                "/body/0/url (Image): an image's address begins with https://",
            ),
            (
                card(json!([{"type": "ActionSet", "actions": [{"type": "Action.Submitt"}]}])),
                "did you mean Action.Submit?",
            ),
            (card(json!([{"type": "Action.Submit"}])), "is not an element"),
            (card(json!([{"text": "x"}])), "it has no type"),
            (card(json!(["x"])), "a text stands where an element is expected"),
            (
                card(json!([{"type": "Input.Text", "id": "a"}, {"type": "Input.Text", "id": "a"}])),
                "/body/1/id (Input.Text): another input has the id \"a\"",
            ),
            (
                card(json!([{"type": "ColumnSet", "columns": [{"type": "Container", "items": []}]}])),
                "/body/0/columns/0 (Column): only a Column can stand here",
            ),
            (
                json!({"type": "AdaptiveCard", "version": "1.2", "body": [{"type": "Table"}]}),
                "/body/0 (Table): Table came with 1.5, and the card says it is 1.2",
            ),
        ] {
            let problems = said(&card);
            assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:?}");
        }
        let mut deep = json!({"type": "TextBlock", "text": "x"});
        for _ in 0..90 {
            deep = json!({"type": "Container", "items": [deep]});
        }
        assert!(said(&card(json!([deep]))).iter().any(|problem| problem.contains("too deeply")));
    }

    #[test]
    fn a_size_is_counted_in_utf16() {
        let (bytes, problem) = check_size(&"ä".repeat(10));
        assert_eq!((bytes, problem), (20, None));
        assert_eq!(check_size(&"x".repeat(15 * 1024)).1.unwrap().severity, Severity::Warning);
        let large = check_size(&"x".repeat(41 * 1024)).1.unwrap();
        assert_eq!(large.severity, Severity::Error);
        assert!(large.message.contains("83968 bytes"));
    }
}
