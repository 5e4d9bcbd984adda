//! Where the values of columns come from.

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The property of the same name.
    Property,
    /// The timestamp that orders versions: padded to milliseconds so that text sorts as time, and where it is null
    /// the creation time.
    Cursor,
    /// A property of another name, such as an annotation whose name SQL could not take.
    Named(&'static str),
    Derived(Derived),
    /// Taken from a message that has been read.
    Detail(Part),
}

/// What a column takes from a message, or from the part of it that became a row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The message's id.
    Message,
    /// The id of the thread's first message: of a root its own.
    Root,
    /// Where the item stands in the message's list, from 0.
    Position,
    /// How many items the message has in this version.
    SetSize,
    /// A column of the message, of this name.
    Of(&'static str),
    /// A nested field of the item.
    Nested(&'static [&'static str]),
    /// Which identity of an identity set is there, and its id.
    IdentityKind(&'static str),
    IdentityId(&'static str),
    /// The event's `@odata.type`, without what all of them share.
    EventType,
    /// `callDuration` in whole seconds.
    CallSeconds,
    /// The body without markup.
    BodyText,
    /// A hosted content's address, and the id in it.
    HostedUrl,
    HostedId,
    /// Which part of the message shows the hosted content.
    HostedSource,
    /// What only the hosted content itself tells.
    HostedValue,
}

/// Columns that the item itself does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    Team,
    Channel,
    Chat,
    Parent,
    User,
    /// What was said in a meeting, where it is asked for.
    Transcript,
    Group,
    /// The item of another list that this list belongs to.
    Item,
    /// When the connector saw this version, by Graph's clock.
    ObservedAt,
    /// The whole item as sent (`include_raw`).
    Raw,
}
