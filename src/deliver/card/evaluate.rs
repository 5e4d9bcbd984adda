//! An expression with data. Evaluation is bounded in steps, depth and in what it makes.

use serde_json::{Map, Value};

use super::functions::{Context, math};
use super::syntax::{Each, Expression, Operator, Part};
use super::value::{compare, equal, is_true, kind, text};

/// Expressions within each other, lambdas included.
const DEEPEST: usize = 200;
/// Steps of one card.
const MOST_STEPS: usize = 1_000_000;
/// Characters and items that one card's expressions make.
const ROOM: usize = 2 << 20;

/// What the expressions of one card share: the time, and their bounds.
pub struct Clock {
    context: Context,
    steps: usize,
    depth: usize,
}

impl Clock {
    /// `now_ms` is the time that `utcNow()` gives, in milliseconds since 1970.
    pub fn new(now_ms: i64) -> Self {
        Self { context: Context { now_ms, room: ROOM }, steps: MOST_STEPS, depth: 0 }
    }

    fn step(&mut self) -> Result<(), String> {
        self.steps = self.steps.checked_sub(1).ok_or("it takes too many steps")?;
        Ok(())
    }

    /// Counts what a card is made of, beside its expressions.
    pub fn take(&mut self, size: usize) -> Result<(), String> {
        self.step()?;
        self.context.take(size)
    }
}

/// The names that an expression sees.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    root: &'a Value,
    data: &'a Value,
    pub index: Option<usize>,
    host: &'a Value,
    /// Parameters of the lambdas around it, the innermost first.
    parameters: Option<&'a Parameter<'a>>,
}

struct Parameter<'a> {
    name: &'a str,
    value: &'a Value,
    outer: Option<&'a Parameter<'a>>,
}

impl<'a> Scope<'a> {
    pub fn new(root: &'a Value, host: &'a Value) -> Self {
        Self { root, data: root, index: None, host, parameters: None }
    }

    /// The same with other data, and its place in the list that it repeats.
    pub fn within(&self, data: &'a Value, index: Option<usize>) -> Self {
        Self { data, index, ..*self }
    }

    /// What a name stands for; nothing where it is not there.
    fn find(&self, name: &str) -> Option<Value> {
        let mut parameter = self.parameters;
        while let Some(known) = parameter {
            if known.name == name {
                return Some(known.value.clone());
            }
            parameter = known.outer;
        }
        match name {
            "$root" => Some(self.root.clone()),
            "$data" => Some(self.data.clone()),
            "$host" => Some(self.host.clone()),
            "$index" => self.index.map(Value::from),
            _ => self.data.get(name).cloned(),
        }
    }

    /// The same without copies, for a path of names: the common case, in which a large object is not copied for a member.
    fn borrow(&self, expression: &Expression) -> Result<Option<&'a Value>, NoPath> {
        match expression {
            Expression::Name(name) => {
                let mut parameter = self.parameters;
                while let Some(known) = parameter {
                    if known.name == name {
                        return Ok(Some(known.value));
                    }
                    parameter = known.outer;
                }
                match name.as_str() {
                    "$root" => Ok(Some(self.root)),
                    "$data" => Ok(Some(self.data)),
                    "$host" => Ok(Some(self.host)),
                    "$index" => Err(NoPath),
                    _ => Ok(self.data.get(name)),
                }
            }
            Expression::Member(inner, name) => Ok(self.borrow(inner)?.and_then(|value| value.get(name))),
            Expression::Index(inner, at) => match &**at {
                Expression::Literal(at) => Ok(self.borrow(inner)?.and_then(|value| item(value, at))),
                _ => Err(NoPath),
            },
            _ => Err(NoPath),
        }
    }
}

/// An expression that has to be evaluated.
struct NoPath;

/// An item of a list, counted from the end where the index is negative, or a member of an object.
fn item<'v>(value: &'v Value, at: &Value) -> Option<&'v Value> {
    match (value, at) {
        (Value::Array(items), Value::Number(at)) => {
            let at = at.as_i64()?;
            let at = if at < 0 { at.checked_add(i64::try_from(items.len()).ok()?)? } else { at };
            items.get(usize::try_from(at).ok()?)
        }
        (Value::Object(members), Value::String(name)) => members.get(name),
        _ => None,
    }
}

/// The value of an expression; nothing where it names what is not there.
pub fn evaluate(expression: &Expression, scope: &Scope<'_>, clock: &mut Clock) -> Result<Option<Value>, String> {
    clock.step()?;
    if clock.depth == DEEPEST {
        return Err("it is nested too deeply".to_owned());
    }
    clock.depth += 1;
    let result = inner(expression, scope, clock);
    clock.depth -= 1;
    result
}

/// The same with null in place of nothing.
fn known(expression: &Expression, scope: &Scope<'_>, clock: &mut Clock) -> Result<Value, String> {
    Ok(evaluate(expression, scope, clock)?.unwrap_or(Value::Null))
}

fn inner(expression: &Expression, scope: &Scope<'_>, clock: &mut Clock) -> Result<Option<Value>, String> {
    if let Ok(found) = scope.borrow(expression) {
        if let Some(found) = found {
            clock.context.take(size(found))?;
        }
        return Ok(found.cloned());
    }
    Ok(Some(match expression {
        Expression::Literal(value) => value.clone(),
        Expression::Name(name) => return Ok(scope.find(name)),
        Expression::Member(object, name) => return Ok(known(object, scope, clock)?.get(name).cloned()),
        Expression::Index(object, at) => {
            let at = known(at, scope, clock)?;
            return Ok(item(&known(object, scope, clock)?, &at).cloned());
        }
        Expression::Array(items) => {
            Value::Array(items.iter().map(|item| known(item, scope, clock)).collect::<Result<_, _>>()?)
        }
        Expression::Object(members) => {
            let mut made = Map::new();
            for (name, value) in members {
                made.insert(name.clone(), known(value, scope, clock)?);
            }
            Value::Object(made)
        }
        Expression::Text(parts) => Value::String(joined(parts, scope, clock)?),
        Expression::Not(inner) => Value::Bool(!is_true(&known(inner, scope, clock)?)),
        Expression::Negative(inner) => {
            math::fold(&[Value::from(0), known(inner, scope, clock)?], |left, right| left - right)?
        }
        Expression::Binary(operator, left, right) => return binary(*operator, left, right, scope, clock),
        Expression::Call(function, arguments) => {
            let given: Vec<Value> =
                arguments.iter().map(|argument| known(argument, scope, clock)).collect::<Result<_, _>>()?;
            function.call(&mut clock.context, &given)?
        }
        Expression::Each(each, list, name, body) => over(*each, list, name, body, scope, clock)?,
        Expression::If(three) => {
            let [condition, yes, no] = &**three;
            let chosen = if is_true(&known(condition, scope, clock)?) { yes } else { no };
            return evaluate(chosen, scope, clock);
        }
        Expression::All(all) => {
            for one in all {
                if !is_true(&known(one, scope, clock)?) {
                    return Ok(Some(Value::Bool(false)));
                }
            }
            Value::Bool(true)
        }
        Expression::Any(any) => {
            for one in any {
                if is_true(&known(one, scope, clock)?) {
                    return Ok(Some(Value::Bool(true)));
                }
            }
            Value::Bool(false)
        }
        Expression::Coalesce(all) => {
            for one in all {
                let value = known(one, scope, clock)?;
                if !value.is_null() {
                    return Ok(Some(value));
                }
            }
            Value::Null
        }
    }))
}

fn binary(
    operator: Operator,
    left: &Expression,
    right: &Expression,
    scope: &Scope<'_>,
    clock: &mut Clock,
) -> Result<Option<Value>, String> {
    let first = known(left, scope, clock)?;
    // These need their right side only sometimes.
    match operator {
        Operator::And if !is_true(&first) => return Ok(Some(Value::Bool(false))),
        Operator::Or if is_true(&first) => return Ok(Some(Value::Bool(true))),
        Operator::And | Operator::Or => return Ok(Some(Value::Bool(is_true(&known(right, scope, clock)?)))),
        Operator::Coalesce if !first.is_null() => return Ok(Some(first)),
        Operator::Coalesce => return evaluate(right, scope, clock),
        _ => {}
    }
    let second = known(right, scope, clock)?;
    let order =
        |wanted: fn(std::cmp::Ordering) -> bool| compare(&first, &second).map(|order| Value::Bool(wanted(order)));
    let both = || [first.clone(), second.clone()];
    Ok(Some(match operator {
        Operator::Equal => Value::Bool(equal(&first, &second)),
        Operator::NotEqual => Value::Bool(!equal(&first, &second)),
        Operator::Less => order(std::cmp::Ordering::is_lt)?,
        Operator::LessOrEqual => order(std::cmp::Ordering::is_le)?,
        Operator::Greater => order(std::cmp::Ordering::is_gt)?,
        Operator::GreaterOrEqual => order(std::cmp::Ordering::is_ge)?,
        Operator::Add => math::add(&mut clock.context, &first, &second)?,
        Operator::Subtract => math::fold(&both(), |left, right| left - right)?,
        Operator::Multiply => math::fold(&both(), |left, right| left * right)?,
        Operator::Divide => math::divide(&first, &second)?,
        Operator::Modulo => math::modulo(&first, &second)?,
        Operator::Power => math::power(&first, &second)?,
        Operator::Concat | Operator::And | Operator::Or | Operator::Coalesce => {
            let joined = text(&first) + &text(&second);
            clock.context.take(joined.len())?;
            Value::String(joined)
        }
    }))
}

/// A list's items, or an object's members as `key` and `value`.
fn over(
    each: Each,
    list: &Expression,
    name: &str,
    body: &Expression,
    scope: &Scope<'_>,
    clock: &mut Clock,
) -> Result<Value, String> {
    let items = match known(list, scope, clock)? {
        Value::Array(items) => items,
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})).collect()
        }
        Value::Null => Vec::new(),
        other => return Err(format!("{} is no list", kind(&other))),
    };
    let mut made = Vec::new();
    for item in items {
        let parameter = Parameter { name, value: &item, outer: scope.parameters };
        let inner = Scope { parameters: Some(&parameter), ..*scope };
        let value = known(body, &inner, clock)?;
        match each {
            Each::Map => {
                clock.context.take(1)?;
                made.push(value);
            }
            Each::Keep if is_true(&value) => made.push(item),
            Each::Any if is_true(&value) => return Ok(Value::Bool(true)),
            Each::All if !is_true(&value) => return Ok(Value::Bool(false)),
            _ => {}
        }
    }
    Ok(match each {
        Each::Map | Each::Keep => Value::Array(made),
        Each::Any => Value::Bool(false),
        Each::All => Value::Bool(true),
    })
}

/// Roughly what a copy takes.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text.len(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>(),
    }
}

/// A text with what its expressions give. What is not there stays as it was written, so that it is seen.
pub fn joined(parts: &[Part], scope: &Scope<'_>, clock: &mut Clock) -> Result<String, String> {
    let mut joined = String::new();
    for part in parts {
        match part {
            Part::Plain(plain) => joined.push_str(plain),
            Part::Bound(expression, source) => match evaluate(expression, scope, clock)? {
                Some(value) => joined.push_str(&text(&value)),
                None => joined.push_str(source),
            },
        }
    }
    clock.context.take(joined.len())?;
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::card::parse::parse;

    fn value(text: &str, data: &Value) -> Result<Value, String> {
        let expression = parse(text)?;
        let scope = Scope::new(data, &Value::Null);
        known(&expression, &scope, &mut Clock::new(1_767_225_600_000))
    }

    #[test]
    fn expressions_have_their_values() {
        let data = json!({
            "name": "Ada", "age": 36, "price": 1234.5, "none": null, "list": [3, 1, 2], "flag": true,
            "people": [{"n": "B", "a": 2}, {"n": "A", "a": 1}], "at": "2026-03-05T07:08:09Z", "nested": {"x": {"y": [1, {"z": "deep"}]}},
        });
        for (text, expected) in [
            ("name", json!("Ada")),
            ("nested.x.y[1].z", json!("deep")),
            ("nested['x'].y[0]", json!(1)),
            ("list[-1]", json!(2)),
            ("missing.a.b", json!(null)),
            ("1 + 2 * 3", json!(7)),
            ("(1 + 2) * 3", json!(9)),
            ("2 ^ 3 ^ 2", json!(512)),
            ("10 / 4", json!(2)),
            ("10 / 4.0", json!(2.5)),
            ("7 % 3", json!(1)),
            ("-age + 1", json!(-35)),
            ("'a' + 1", json!("a1")),
            ("name & ' ' & age", json!("Ada 36")),
            ("age > 30 && name == 'Ada'", json!(true)),
            ("age <= 30 || !flag", json!(false)),
            ("name <> 'Ada'", json!(false)),
            ("none ?? 'default'", json!("default")),
            ("if(age >= 18, 'adult', boom.bang)", json!("adult")),
            ("if(none, 1, 2)", json!(2)),
            ("if(0, 'yes', 'no')", json!("yes")),
            ("equals(1, 1.0)", json!(true)),
            ("and(flag, not(none))", json!(true)),
            ("or(false, none)", json!(false)),
            ("exists(missing)", json!(false)),
            ("empty(list)", json!(false)),
            ("coalesce(none, missing, 'x')", json!("x")),
            ("length(name)", json!(3)),
            ("join(list, ', ')", json!("3, 1, 2")),
            ("join(list, ', ', ' and ')", json!("3, 1 and 2")),
            ("sum(list)", json!(6)),
            ("max(list, 9)", json!(9)),
            ("average(list)", json!(2)),
            ("string(price)", json!("1234.5")),
            ("int('42')", json!(42)),
            ("float('1.5')", json!(1.5)),
            ("json('{\"a\": [1]}').a[0]", json!(1)),
            ("formatNumber(price, 2)", json!("1,234.50")),
            ("formatNumber(price, 1, 'de-DE')", json!("1.234,5")),
            ("formatDateTime(at, 'yyyy-MM-dd')", json!("2026-03-05")),
            ("formatDateTime(at)", json!("2026-03-05T07:08:09.000Z")),
            ("addDays(at, 1, 'MMM d')", json!("Mar 6")),
            ("formatEpoch(0, 'yyyy')", json!("1970")),
            ("utcNow('yyyy-MM-dd')", json!("2026-01-01")),
            ("dayOfWeek(at)", json!(4)),
            ("dateDifference('2026-03-01', at)", json!(4)),
            ("concat('a', 1, true)", json!("a1true")),
            ("substring('hello', 1, 3)", json!("ell")),
            ("replace('a-b', '-', '+')", json!("a+b")),
            ("replaceIgnoreCase('Hello', 'L', '')", json!("Heo")),
            ("split('a,b', ',')", json!(["a", "b"])),
            ("toUpper(name)", json!("ADA")),
            ("titleCase('ada LOVELACE')", json!("Ada Lovelace")),
            ("addOrdinal(11)", json!("11th")),
            ("addOrdinal(22)", json!("22nd")),
            ("startsWith(name, 'A')", json!(true)),
            ("indexOf('hello', 'l')", json!(2)),
            ("contains(list, 2)", json!(true)),
            ("contains(name, 'd')", json!(true)),
            ("count(people)", json!(2)),
            ("first(list)", json!(3)),
            ("foreach(people, p, p.n)", json!(["B", "A"])),
            ("select(people, p, `${p.n}=${p.a}`)", json!(["B=2", "A=1"])),
            ("where(people, p, p.a > 1)[0].n", json!("B")),
            ("any(list, x, x == 3)", json!(true)),
            ("all(list, x, x > 1)", json!(false)),
            ("foreach(list, x, foreach(list, y, x * y))[0][1]", json!(3)),
            ("sortBy(people, 'a')[0].n", json!("A")),
            ("sortByDescending(list)", json!([3, 2, 1])),
            ("union(list, [9, 1])", json!([3, 1, 2, 9])),
            ("intersection(list, [1, 2, 7])", json!([1, 2])),
            ("skip(list, 1)", json!([1, 2])),
            ("{a: 1, 'b c': list}", json!({"a": 1, "b c": [3, 1, 2]})),
            ("setProperty({a: 1}, 'a', 2).a", json!(2)),
            ("uriComponent('a b&c')", json!("a%20b%26c")),
            ("base64ToString(base64('ä'))", json!("ä")),
            ("round(2.345, 2)", json!(2.35)),
            ("range(2, 3)", json!([2, 3, 4])),
            ("$root.name", json!("Ada")),
            ("$data.age", json!(36)),
        ] {
            assert_eq!(value(text, &data), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said_without_the_data() {
        let data = json!({"secret": "personal", "list": [1]});
        for (text, why) in [
            ("secret * 2", "a text is no number"),
            ("1 / 0", "a division by zero"),
            ("list < 2", "cannot be compared"),
            ("formatDateTime(secret)", "formatDateTime: it is no ISO 8601 time"),
            ("json(secret)", "json: it is no JSON"),
            ("substring(secret, 90)", "outside of the text"),
        ] {
            let error = value(text, &data).unwrap_err();
            assert!(error.contains(why) && !error.contains("personal"), "{text}: {error}");
        }
    }

    #[test]
    fn steps_and_sizes_are_bounded() {
        let data = json!({"list": (0..1_000).collect::<Vec<_>>(), "text": "x".repeat(10_000)});
        for text in [
            "foreach(list, a, foreach(list, b, foreach(list, c, c)))",
            "foreach(list, a, text)",
            "range(0, 999999999)",
            "join(foreach(list, a, text), text)",
            "replace(text, 'x', text)",
            "union(range(0, 100000), range(0, 100000))",
        ] {
            assert!(value(text, &data).is_err(), "{text}");
        }
    }
}
