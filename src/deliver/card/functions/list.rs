//! Lists.

use serde_json::{Value, json};

use super::function::{ANY, Context, Function, function, items, whole, words_of};
use crate::card::value::{compare, equal, text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("count", 1, 1, |_, given| {
        Ok(Value::from(match &given[0] {
            Value::String(text) => text.chars().count(),
            Value::Object(members) => members.len(),
            list => items(list)?.len(),
        }))
    }),
    function("first", 1, 1, |_, given| match &given[0] {
        Value::String(text) => Ok(text.chars().next().map_or(Value::Null, |first| Value::String(first.to_string()))),
        list => Ok(items(list)?.first().cloned().unwrap_or(Value::Null)),
    }),
    function("last", 1, 1, |_, given| match &given[0] {
        Value::String(text) => Ok(text.chars().next_back().map_or(Value::Null, |last| Value::String(last.to_string()))),
        list => Ok(items(list)?.last().cloned().unwrap_or(Value::Null)),
    }),
    function("join", 2, 3, |context, given| {
        let (list, separator) = (items(&given[0])?, words_of(&given[1])?);
        let before_last = given.get(2).map_or(Ok(separator), words_of)?;
        let mut joined = String::new();
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                joined.push_str(if at + 1 == list.len() { before_last } else { separator });
            }
            joined.push_str(&text(item));
            // Long before it is put together in full.
            if joined.len() > context.room {
                return Err("the result is too large".to_owned());
            }
        }
        context.take(joined.len())?;
        Ok(Value::String(joined))
    }),
    function("skip", 2, 2, |_, given| {
        let count = whole(&given[1])?.max(0) as usize;
        Ok(Value::Array(items(&given[0])?.iter().skip(count).cloned().collect()))
    }),
    function("take", 2, 2, |_, given| {
        let count = whole(&given[1])?.max(0) as usize;
        match &given[0] {
            Value::String(text) => Ok(Value::String(text.chars().take(count).collect())),
            list => Ok(Value::Array(items(list)?.iter().take(count).cloned().collect())),
        }
    }),
    function("subArray", 2, 3, |_, given| {
        let list = items(&given[0])?;
        let (from, to) = (whole(&given[1])?, given.get(2).map_or(Ok(list.len() as i64), whole)?);
        let inside = (0..=list.len() as i64).contains(&from) && (from..=list.len() as i64).contains(&to);
        if !inside {
            return Err("it reaches out of the list".to_owned());
        }
        Ok(Value::Array(list[from as usize..to as usize].to_vec()))
    }),
    function("reverse", 1, 1, |_, given| match &given[0] {
        Value::String(text) => Ok(Value::String(text.chars().rev().collect())),
        list => Ok(Value::Array(items(list)?.iter().rev().cloned().collect())),
    }),
    function("sortBy", 1, 2, |_, given| sorted(given, false)),
    function("sortByDescending", 1, 2, |_, given| sorted(given, true)),
    function("unique", 1, 1, |context, given| union(context, std::slice::from_ref(&given[0]))),
    function("union", 1, ANY, union),
    function("intersection", 1, ANY, |context, given| {
        let mut found: Vec<Value> = Vec::new();
        for item in items(&given[0])? {
            let mut everywhere = !found.iter().any(|known| equal(known, item));
            for list in &given[1..] {
                let list = items(list)?;
                context.take(list.len())?;
                everywhere = everywhere && list.iter().any(|other| equal(other, item));
            }
            if everywhere {
                found.push(item.clone());
            }
        }
        Ok(Value::Array(found))
    }),
    function("flatten", 1, 2, |context, given| {
        let depth = given.get(1).map_or(Ok(16), whole)?.clamp(0, 16) as usize;
        let mut flat = Vec::new();
        flatten(context, items(&given[0])?, depth, &mut flat)?;
        Ok(Value::Array(flat))
    }),
    function("indicesAndValues", 1, 1, |context, given| {
        let pair = |(index, value): (Value, &Value)| json!({"index": index, "value": value});
        let pairs: Vec<Value> = match &given[0] {
            Value::Object(members) => {
                members.iter().map(|(name, value)| pair((Value::from(name.as_str()), value))).collect()
            }
            list => items(list)?.iter().enumerate().map(|(at, value)| pair((Value::from(at), value))).collect(),
        };
        context.take(pairs.len())?;
        Ok(Value::Array(pairs))
    }),
];

fn union(context: &mut Context, given: &[Value]) -> Result<Value, String> {
    let mut found: Vec<Value> = Vec::new();
    for list in given {
        for item in items(list)? {
            context.take(found.len())?;
            if !found.iter().any(|known| equal(known, item)) {
                found.push(item.clone());
            }
        }
    }
    Ok(Value::Array(found))
}

fn flatten(context: &mut Context, list: &[Value], depth: usize, flat: &mut Vec<Value>) -> Result<(), String> {
    for item in list {
        context.take(1)?;
        match item {
            Value::Array(inner) if depth > 0 => flatten(context, inner, depth - 1, flat)?,
            other => flat.push(other.clone()),
        }
    }
    Ok(())
}

/// By a member of the items, or by themselves.
fn sorted(given: &[Value], descending: bool) -> Result<Value, String> {
    let member = given.get(1).map(words_of).transpose()?;
    let key = |item: &Value| match member {
        Some(name) => item.get(name).cloned().unwrap_or_default(),
        None => item.clone(),
    };
    let mut keyed: Vec<(Value, &Value)> = items(&given[0])?.iter().map(|item| (key(item), item)).collect();
    if let Some((first, _)) = keyed.first() {
        for (other, _) in &keyed {
            compare(first, other)?;
        }
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let order = compare(left, right).unwrap_or(std::cmp::Ordering::Equal);
        if descending { order.reverse() } else { order }
    });
    Ok(Value::Array(keyed.into_iter().map(|(_, item)| item.clone()).collect()))
}
