//! What an expression can call
//! (<https://learn.microsoft.com/azure/bot-service/adaptive-expressions/adaptive-expressions-prebuilt-functions>). None of
//! them reads anything but its arguments and the time of the run.

mod function;
mod list;
mod logic;
pub mod math;
mod object;
mod time;
mod words;

pub use function::{Context, Function};

use teams_base::nearest::nearest;

/// Names that the parser knows beside these, because not all of their arguments are evaluated.
const SPECIAL: [&str; 9] = ["if", "and", "or", "coalesce", "foreach", "select", "where", "any", "all"];

static TABLES: [&[Function]; 6] =
    [logic::FUNCTIONS, math::FUNCTIONS, words::FUNCTIONS, list::FUNCTIONS, object::FUNCTIONS, time::FUNCTIONS];

pub fn find(name: &str) -> Option<&'static Function> {
    TABLES.iter().flat_map(|table| table.iter()).find(|function| function.name == name)
}

pub fn unknown(name: &str) -> String {
    let known = TABLES.iter().flat_map(|table| table.iter()).map(|function| function.name).chain(SPECIAL);
    match nearest(name, known) {
        Some(near) => format!("there is no function {name}; did you mean {near}?"),
        None => format!("there is no function {name}"),
    }
}

/// Every name that can be called, in order.
pub fn names() -> Vec<&'static str> {
    let mut all: Vec<&str> = TABLES.iter().flat_map(|table| table.iter()).map(|function| function.name).collect();
    all.extend(SPECIAL);
    all.sort_unstable();
    all
}
