//! Expressions as trees.

use serde_json::Value;

use super::functions::Function;

#[derive(Debug, Clone)]
pub enum Expression {
    Literal(Value),
    /// A name in scope: `$root`, `$data`, `$index`, a parameter, or a member of the current data.
    Name(String),
    Member(Box<Expression>, String),
    Index(Box<Expression>, Box<Expression>),
    Array(Vec<Expression>),
    Object(Vec<(String, Expression)>),
    Text(Vec<Part>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(&'static Function, Vec<Expression>),
    /// `foreach(list, item, body)` and its like: a list, a parameter, and what is evaluated with each item.
    Each(Each, Box<Expression>, String, Box<Expression>),
    /// Arguments that are evaluated only where they count.
    If(Box<[Expression; 3]>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Coalesce(Vec<Expression>),
}

/// What is done with the items of a list, or the members of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    Map,
    Keep,
    Any,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concat,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Coalesce,
}

/// A piece of a text: as it stands, or an expression and how it was written.
#[derive(Debug, Clone)]
pub enum Part {
    Plain(String),
    Bound(Expression, String),
}
