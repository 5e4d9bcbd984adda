//! Objects.

use serde_json::{Map, Value};

use super::function::{ANY, Function, function, words_of};
use crate::card::value::kind;

pub(super) const FUNCTIONS: &[Function] = &[
    function("getProperty", 1, 2, |_, given| {
        let Some(name) = given.get(1) else { return Ok(given[0].clone()) };
        Ok(given[0].get(words_of(name)?).cloned().unwrap_or(Value::Null))
    }),
    function("setProperty", 3, 3, |_, given| {
        let mut members = members(&given[0])?.clone();
        members.insert(words_of(&given[1])?.to_owned(), given[2].clone());
        Ok(Value::Object(members))
    }),
    function("addProperty", 3, 3, |_, given| {
        let (mut members, name) = (members(&given[0])?.clone(), words_of(&given[1])?);
        if members.contains_key(name) {
            return Err("the member is there already".to_owned());
        }
        members.insert(name.to_owned(), given[2].clone());
        Ok(Value::Object(members))
    }),
    function("removeProperty", 2, 2, |_, given| {
        let mut members = members(&given[0])?.clone();
        members.remove(words_of(&given[1])?);
        Ok(Value::Object(members))
    }),
    function("merge", 1, ANY, |_, given| {
        let mut merged = Map::new();
        for object in given {
            merged.extend(members(object)?.clone());
        }
        Ok(Value::Object(merged))
    }),
];

fn members(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{} is no object", kind(value)))
}
