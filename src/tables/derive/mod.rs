//! What is made of messages that have been read: their text, and the rows of what they hold.

mod body;
mod body_text;
mod details;
mod hosted_contents;
mod html;

pub use body_text::BodyText;
pub use details::Exploder;
