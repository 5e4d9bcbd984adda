//! Texts.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::function::{ANY, Context, Function, function, items, whole, words_of};
use crate::card::value::text;

pub(super) const FUNCTIONS: &[Function] = &[
    function("concat", 1, ANY, |context, given| {
        // Lists are put together to a list, all else to a text.
        if given.iter().all(Value::is_array) {
            return Ok(Value::Array(given.iter().flat_map(|list| items(list).unwrap_or_default()).cloned().collect()));
        }
        let joined: String = given.iter().map(text).collect();
        made(context, joined)
    }),
    function("length", 1, 1, |_, given| {
        Ok(Value::from(match &given[0] {
            Value::Array(items) => items.len(),
            other => text(other).chars().count(),
        }))
    }),
    function("toLower", 1, 2, |_, given| Ok(Value::String(words_of(&given[0])?.to_lowercase()))),
    function("toUpper", 1, 2, |_, given| Ok(Value::String(words_of(&given[0])?.to_uppercase()))),
    function("trim", 1, 1, |_, given| Ok(Value::String(words_of(&given[0])?.trim().to_owned()))),
    function("startsWith", 2, 2, |_, given| Ok(Value::Bool(words_of(&given[0])?.starts_with(words_of(&given[1])?)))),
    function("endsWith", 2, 2, |_, given| Ok(Value::Bool(words_of(&given[0])?.ends_with(words_of(&given[1])?)))),
    function("replace", 3, 3, |context, given| {
        let (from, to) = (words_of(&given[1])?, words_of(&given[2])?);
        if from.is_empty() {
            return Err("what is replaced is empty".to_owned());
        }
        let count = words_of(&given[0])?.matches(from).count();
        context.take(count.saturating_mul(to.len()))?;
        made(context, words_of(&given[0])?.replace(from, to))
    }),
    function("replaceIgnoreCase", 3, 3, |context, given| {
        let replaced = replace_any_case(context, words_of(&given[0])?, words_of(&given[1])?, words_of(&given[2])?)?;
        made(context, replaced)
    }),
    function("split", 1, 2, |context, given| {
        let whole = words_of(&given[0])?;
        context.take(whole.len())?;
        let separator = given.get(1).map_or(Ok(""), words_of)?;
        let parts: Vec<Value> = if separator.is_empty() {
            whole.chars().map(|found| Value::String(found.to_string())).collect()
        } else {
            whole.split(separator).map(Value::from).collect()
        };
        Ok(Value::Array(parts))
    }),
    function("substring", 2, 3, |_, given| {
        let whole_text = words_of(&given[0])?;
        let (from, count) = (whole(&given[1])?, given.get(2).map(whole).transpose()?);
        let length = whole_text.chars().count() as i64;
        if from < 0 || from > length || count.is_some_and(|count| count < 0) {
            return Err("it begins outside of the text".to_owned());
        }
        let count = count.unwrap_or(length).min(length) as usize;
        Ok(Value::String(whole_text.chars().skip(from as usize).take(count).collect()))
    }),
    function("indexOf", 2, 2, |_, given| position(given, false)),
    function("lastIndexOf", 2, 2, |_, given| position(given, true)),
    function("sentenceCase", 1, 2, |_, given| Ok(Value::String(sentence(words_of(&given[0])?)))),
    function("titleCase", 1, 2, |_, given| {
        let words: Vec<String> = words_of(&given[0])?.split(' ').map(sentence).collect();
        Ok(Value::String(words.join(" ")))
    }),
    function("countWord", 1, 1, |_, given| Ok(Value::from(words_of(&given[0])?.split_whitespace().count()))),
    function("addOrdinal", 1, 1, |_, given| {
        let number = whole(&given[0])?;
        let suffix = match (number.abs() % 100, number.abs() % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            _ => "th",
        };
        Ok(Value::String(format!("{number}{suffix}")))
    }),
    function("uriComponent", 1, 1, |context, given| {
        made(context, utf8_percent_encode(words_of(&given[0])?, NON_ALPHANUMERIC).to_string())
    }),
    function("uriComponentToString", 1, 1, |_, given| {
        let decoded = percent_decode_str(words_of(&given[0])?).decode_utf8().map_err(|_| "it is no text")?;
        Ok(Value::String(decoded.into_owned()))
    }),
];

fn made(context: &mut Context, made: String) -> Result<Value, String> {
    context.take(made.len())?;
    Ok(Value::String(made))
}

fn sentence(word: &str) -> String {
    let mut chars = word.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
}

fn position(given: &[Value], last: bool) -> Result<Value, String> {
    if let Value::Array(list) = &given[0] {
        let is_it = |item: &Value| crate::card::value::equal(item, &given[1]);
        let found = if last { list.iter().rposition(is_it) } else { list.iter().position(is_it) };
        return Ok(found.map_or(Value::from(-1), Value::from));
    }
    let (whole, part) = (words_of(&given[0])?, words_of(&given[1])?);
    let found = if last { whole.rfind(part) } else { whole.find(part) };
    Ok(found.map_or(Value::from(-1), |at| Value::from(whole[..at].chars().count())))
}

fn replace_any_case(context: &mut Context, text: &str, from: &str, to: &str) -> Result<String, String> {
    if from.is_empty() {
        return Err("what is replaced is empty".to_owned());
    }
    let wanted: Vec<String> = from.chars().map(|found| found.to_lowercase().collect()).collect();
    let chars: Vec<char> = text.chars().collect();
    let (mut replaced, mut at) = (String::new(), 0);
    while at < chars.len() {
        let fits = chars.len() - at >= wanted.len()
            && wanted.iter().zip(&chars[at..]).all(|(wanted, found)| found.to_lowercase().eq(wanted.chars()));
        if fits {
            context.take(to.len())?;
            replaced.push_str(to);
            at += wanted.len();
        } else {
            replaced.push(chars[at]);
            at += 1;
        }
    }
    Ok(replaced)
}
