//! Where the values of columns come from.

use std::borrow::Cow;

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

impl Source {
    /// Where Graph has it, for the documentation: a property, a path of properties, or a few words.
    pub fn documented(self, name: &'static str) -> Cow<'static, str> {
        match self {
            Self::Property => name.into(),
            Self::Cursor => format!("{name}, else createdDateTime").into(),
            Self::Named(property) => property.into(),
            Self::Derived(derived) => derived.documented().into(),
            Self::Detail(part) => part.documented(),
        }
    }
}

impl Derived {
    fn documented(self) -> &'static str {
        match self {
            Self::Team => "id of the team",
            Self::Channel => "id of the channel",
            Self::Chat => "id of the chat",
            Self::Parent => "replyToId, or the root's id",
            Self::User => "id of the user",
            Self::Transcript => "transcripts/{id}/content",
            Self::Group => "id of the group",
            Self::Item => "id of the item above",
            Self::ObservedAt => "Graph's clock",
            Self::Raw => "the whole item",
        }
    }
}

impl Part {
    fn documented(self) -> Cow<'static, str> {
        match self {
            Self::Message => "id of the message".into(),
            Self::Root => "replyToId, or the root's id".into(),
            Self::Position => "place in the list".into(),
            Self::SetSize => "length of the list".into(),
            Self::Of(name) | Self::IdentityKind(name) => name.into(),
            Self::Nested(names) => names.join(".").into(),
            Self::IdentityId(name) => format!("id in {name}").into(),
            Self::EventType => "eventDetail.@odata.type".into(),
            Self::CallSeconds => "callDuration".into(),
            Self::BodyText => "body.content".into(),
            Self::HostedUrl | Self::HostedId | Self::HostedSource => "addresses in body, attachments, reactions".into(),
            Self::HostedValue => "hostedContents/{id}/$value".into(),
        }
    }
}
