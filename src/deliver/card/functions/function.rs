//! What a function is, and how it takes its arguments.

use serde_json::Value;

use crate::card::value::{float, kind};

/// What an evaluation shares: its time, and what is left of its bounds.
pub struct Context {
    pub now_ms: i64,
    /// Characters and items that may still be made.
    pub room: usize,
}

impl Context {
    /// Makes room for what a function is about to make.
    pub fn take(&mut self, size: usize) -> Result<(), String> {
        self.room = self.room.checked_sub(size).ok_or("the result is too large")?;
        Ok(())
    }
}

type Body = fn(&mut Context, &[Value]) -> Result<Value, String>;

pub struct Function {
    pub name: &'static str,
    least: usize,
    most: usize,
    body: Body,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Function {
    pub fn takes(&self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }

    pub fn wanted(&self) -> String {
        match (self.least, self.most) {
            (least, most) if least == most => least.to_string(),
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) if most == least + 1 => format!("{least} or {most}"),
            (least, most) => format!("{least} to {most}"),
        }
    }

    pub fn call(&self, context: &mut Context, arguments: &[Value]) -> Result<Value, String> {
        (self.body)(context, arguments).map_err(|why| format!("{}: {why}", self.name))
    }
}

pub const fn function(name: &'static str, least: usize, most: usize, body: Body) -> Function {
    Function { name, least, most, body }
}

pub const ANY: usize = usize::MAX;

pub fn number(value: &Value) -> Result<f64, String> {
    float(value).ok_or_else(|| format!("{} is no number", kind(value)))
}

pub fn whole(value: &Value) -> Result<i64, String> {
    let number = number(value)?;
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Ok(number as i64)
    } else {
        Err("it is no whole number".to_owned())
    }
}

/// A text; null is an empty one.
pub fn words_of(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(""),
        other => Err(format!("{} is no text", kind(other))),
    }
}

/// A list; null is an empty one.
pub fn items(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(&[]),
        other => Err(format!("{} is no list", kind(other))),
    }
}
