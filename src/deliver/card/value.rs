//! How values are compared, shown and taken as numbers.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Everything but false and null: a zero and an empty text are true.
pub fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Bool(false) | Value::Null)
}

/// As it stands in a text. Null is nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => shortest(number),
        other => other.to_string(),
    }
}

/// A number without a fraction that says nothing.
fn shortest(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

pub fn float(value: &Value) -> Option<f64> {
    value.as_f64()
}

pub fn of_float(number: f64) -> Result<Value, String> {
    // What is whole stays whole.
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| "the result is no number".to_owned())
}

pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left == right,
            _ => left.as_f64() == right.as_f64(),
        },
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

/// The order of two numbers or two texts.
pub fn compare(left: &Value, right: &Value) -> Result<Ordering, String> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap_or(f64::NAN), right.as_f64().unwrap_or(f64::NAN));
            left.partial_cmp(&right).ok_or_else(|| "they cannot be compared".to_owned())
        }
        (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
        _ => Err(format!("{} and {} cannot be compared", kind(left), kind(right))),
    }
}

/// What a value is, for errors: never what it says.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
