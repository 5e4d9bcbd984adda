//! Adaptive Cards: templates with data bound into them, and what Teams would refuse of the result.
//!
//! The template language is <https://learn.microsoft.com/adaptive-cards/templating/language>, its expressions are Adaptive
//! Expressions (<https://learn.microsoft.com/azure/bot-service/adaptive-expressions>). Nothing in a template runs code: an
//! expression is parsed once into a tree of known functions, and its evaluation is bounded in steps, depth and size.
//!
//! The folder, each module of which uses only those before it:
//!
//! - [`syntax`]: expressions as trees, and [`parse`]: from text to there; [`text`]: strings with `${...}` in them;
//! - [`value`]: how values are compared, shown and counted; [`calendar`] and [`number`]: how times and numbers are written;
//! - [`functions`]: what can be called; [`evaluate`]: an expression with data;
//! - [`template`]: a card with expressions, and one without; [`schema`]: the elements of cards; [`check`]: what is wrong;
//! - [`seal`]: the data of actions, which comes back as it was sent, and [`key_file`]: the key of that.

mod calendar;
pub mod check;
mod evaluate;
mod functions;
pub mod key_file;
mod number;
mod parse;
mod schema;
pub mod seal;
mod syntax;
pub mod template;
mod text;
mod value;

pub use check::{Problem, Severity, check};
pub use evaluate::Clock;
pub use functions::names as functions;
pub use template::{Fault, Template};
