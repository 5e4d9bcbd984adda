//! Comparisons and conversions.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::function::{ANY, Function, function, items, words_of};
use crate::card::value::{compare, equal, is_true, kind, text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("not", 1, 1, |_, given| Ok(Value::Bool(!is_true(&given[0])))),
    function("equals", 2, 2, |_, given| Ok(Value::Bool(equal(&given[0], &given[1])))),
    function("notEquals", 2, 2, |_, given| Ok(Value::Bool(!equal(&given[0], &given[1])))),
    function("exists", 1, 1, |_, given| Ok(Value::Bool(!given[0].is_null()))),
    function("less", 2, 2, |_, given| order(given, &[Ordering::Less])),
    function("lessOrEquals", 2, 2, |_, given| order(given, &[Ordering::Less, Ordering::Equal])),
    function("greater", 2, 2, |_, given| order(given, &[Ordering::Greater])),
    function("greaterOrEquals", 2, 2, |_, given| order(given, &[Ordering::Greater, Ordering::Equal])),
    function("isString", 1, 1, |_, given| Ok(Value::Bool(given[0].is_string()))),
    function("isInteger", 1, 1, |_, given| Ok(Value::Bool(is_whole(&given[0])))),
    function("isFloat", 1, 1, |_, given| Ok(Value::Bool(given[0].is_number() && !is_whole(&given[0])))),
    function("isBoolean", 1, 1, |_, given| Ok(Value::Bool(given[0].is_boolean()))),
    function("isArray", 1, 1, |_, given| Ok(Value::Bool(given[0].is_array()))),
    function("isObject", 1, 1, |_, given| Ok(Value::Bool(given[0].is_object()))),
    function("string", 1, 2, |_, given| Ok(Value::String(text(&given[0])))),
    function("bool", 1, 1, |_, given| Ok(Value::Bool(is_yes(&given[0])))),
    function("int", 1, 1, |_, given| {
        to_number(&given[0]).and_then(|number| crate::card::value::of_float(number.trunc()))
    }),
    function("float", 1, 1, |_, given| to_number(&given[0]).and_then(crate::card::value::of_float)),
    function("json", 1, 1, |context, given| {
        let text = words_of(&given[0])?;
        context.take(text.len())?;
        serde_json::from_str(text).map_err(|_| "it is no JSON".to_owned())
    }),
    function("jsonStringify", 1, 1, |_, given| Ok(Value::String(given[0].to_string()))),
    function("createArray", 0, ANY, |_, given| Ok(Value::Array(given.to_vec()))),
    function("base64", 1, 1, |context, given| {
        let text = words_of(&given[0])?;
        context.take(text.len() * 2)?;
        Ok(Value::String(STANDARD.encode(text)))
    }),
    function("base64ToString", 1, 1, |_, given| {
        let bytes = STANDARD.decode(words_of(&given[0])?).map_err(|_| "it is no base64")?;
        Ok(Value::String(String::from_utf8(bytes).map_err(|_| "it is no text")?))
    }),
    function("empty", 1, 1, |_, given| {
        Ok(Value::Bool(match &given[0] {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }))
    }),
    function("contains", 2, 2, |_, given| {
        Ok(Value::Bool(match &given[0] {
            Value::String(text) => text.contains(words_of(&given[1])?),
            Value::Object(members) => members.contains_key(words_of(&given[1])?),
            list => items(list)?.iter().any(|item| equal(item, &given[1])),
        }))
    }),
];

fn order(given: &[Value], wanted: &[Ordering]) -> Result<Value, String> {
    Ok(Value::Bool(wanted.contains(&compare(&given[0], &given[1])?)))
}

fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// As for a switch: the text "false" and a zero are no.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.eq_ignore_ascii_case("false") && !text.is_empty() && text != "0",
        other => is_true(other),
    }
}

fn to_number(value: &Value) -> Result<f64, String> {
    match value {
        Value::String(text) => text.trim().parse().map_err(|_| "it is no number".to_owned()),
        Value::Number(number) => number.as_f64().ok_or_else(|| "it is no number".to_owned()),
        other => Err(format!("{} is no number", kind(other))),
    }
}
