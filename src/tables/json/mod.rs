//! Reading JSON text without building a tree: the caller takes each value where it stands, or skips it.
//!
//! It is written for pages of Graph: keys and most strings are short, so that what a general parser does per value
//! (an index of the whole page, or a visitor for each type) costs more than reading the value. The grammar is that of
//! RFC 8259, with two exceptions: half of a surrogate pair becomes U+FFFD, because software that cuts text at a fixed
//! length splits emoji in two; and a number may be of any size, because columns check that for themselves.

mod fields;
mod literal;
mod object_keys;
mod reader;
mod skip;
mod string_scan;
mod strings;

pub use fields::Fields;
pub(crate) use object_keys::{First, Member, ObjectKeys, Walk};
pub(crate) use reader::FaultKind;
pub use reader::{Json, Read};
pub(crate) use strings::StringSink;
