//! Tables whose rows are taken from messages.

/// What the rows of a table are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// The items of a list.
    Items(&'static str),
    /// `eventDetail`.
    Event,
    /// Addresses of hosted contents, wherever the message has them.
    HostedContents,
}
