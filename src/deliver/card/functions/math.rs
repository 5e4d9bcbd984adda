//! Numbers.

use serde_json::Value;

use super::function::{ANY, Context, Function, function, items, number, whole};
use crate::card::number::format;
use crate::card::value::{of_float, text};

/// Digits behind the point, at most.
const MOST_DIGITS: i64 = 20;

pub(super) const FUNCTIONS: &[Function] = &[
    function("add", 2, ANY, |context, given| {
        given[1..].iter().try_fold(given[0].clone(), |sum, next| add(context, &sum, next))
    }),
    function("sub", 2, ANY, |_, given| fold(given, |left, right| left - right)),
    function("mul", 2, ANY, |_, given| fold(given, |left, right| left * right)),
    function("div", 2, ANY, |_, given| given[1..].iter().try_fold(given[0].clone(), |left, next| divide(&left, next))),
    function("mod", 2, 2, |_, given| modulo(&given[0], &given[1])),
    function("exp", 2, 2, |_, given| power(&given[0], &given[1])),
    function("min", 1, ANY, |_, given| choose(given, f64::min)),
    function("max", 1, ANY, |_, given| choose(given, f64::max)),
    function("sum", 1, 1, |_, given| sum(items(&given[0])?).and_then(of_float)),
    function("average", 1, 1, |_, given| {
        let list = items(&given[0])?;
        of_float(sum(list)? / list.len() as f64)
    }),
    function("abs", 1, 1, |_, given| of_float(number(&given[0])?.abs())),
    function("sqrt", 1, 1, |_, given| of_float(number(&given[0])?.sqrt())),
    function("floor", 1, 1, |_, given| of_float(number(&given[0])?.floor())),
    function("ceiling", 1, 1, |_, given| of_float(number(&given[0])?.ceil())),
    function("round", 1, 2, |_, given| {
        let digits = given.get(1).map_or(Ok(0), whole)?.clamp(0, 15);
        let scale = 10_f64.powi(digits as i32);
        of_float((number(&given[0])? * scale).round() / scale)
    }),
    function("range", 2, 2, |context, given| {
        let (first, count) = (whole(&given[0])?, whole(&given[1])?.max(0));
        context.take(count as usize)?;
        Ok(Value::Array((first..first.saturating_add(count)).map(Value::from).collect()))
    }),
    function("formatNumber", 2, 3, |_, given| {
        let value = match &given[0] {
            Value::String(text) => text.trim().parse().map_err(|_| "it is no number")?,
            other => number(other)?,
        };
        let digits = whole(&given[1])?.clamp(0, MOST_DIGITS) as usize;
        let locale = given.get(2).map(text).unwrap_or_default();
        Ok(Value::String(format(value, digits, &locale)))
    }),
];

/// Numbers are added, texts put together.
pub fn add(context: &mut Context, left: &Value, right: &Value) -> Result<Value, String> {
    if left.is_number() && right.is_number() {
        return of_float(number(left)? + number(right)?);
    }
    let joined = text(left) + &text(right);
    context.take(joined.len())?;
    Ok(Value::String(joined))
}

pub fn fold(given: &[Value], operation: impl Fn(f64, f64) -> f64) -> Result<Value, String> {
    let first = number(&given[0])?;
    let result = given[1..].iter().try_fold(first, |left, next| number(next).map(|right| operation(left, right)))?;
    of_float(result)
}

/// Whole numbers give a whole number.
pub fn divide(left: &Value, right: &Value) -> Result<Value, String> {
    let (dividend, divisor) = (number(left)?, number(right)?);
    if divisor == 0.0 {
        return Err("a division by zero".to_owned());
    }
    let result = dividend / divisor;
    of_float(if left.is_i64() && right.is_i64() { result.trunc() } else { result })
}

pub fn modulo(left: &Value, right: &Value) -> Result<Value, String> {
    let divisor = number(right)?;
    if divisor == 0.0 {
        return Err("a division by zero".to_owned());
    }
    of_float(number(left)? % divisor)
}

pub fn power(left: &Value, right: &Value) -> Result<Value, String> {
    of_float(number(left)?.powf(number(right)?))
}

fn sum(list: &[Value]) -> Result<f64, String> {
    list.iter().try_fold(0.0, |sum, item| number(item).map(|item| sum + item))
}

/// Of numbers, or of lists of numbers.
fn choose(given: &[Value], better: fn(f64, f64) -> f64) -> Result<Value, String> {
    let mut best: Option<f64> = None;
    for value in given {
        let one = std::slice::from_ref(value);
        for item in if value.is_array() { items(value)? } else { one } {
            let item = number(item)?;
            best = Some(best.map_or(item, |best| better(best, item)));
        }
    }
    of_float(best.ok_or("the list is empty")?)
}
