//! The elements of cards, up to version 1.5 of the schema (<https://adaptivecards.io/explorer/>), which is what Teams shows.

/// The newest version that Teams shows.
pub const NEWEST: (u8, u8) = (1, 5);

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    Number,
    Bool,
    /// An address that can be opened or loaded.
    Address,
    Words(&'static [&'static str]),
    /// Not looked into.
    Any,
    /// Elements of a body.
    Elements,
    Action,
    Actions,
    /// Another kind of object, whose `type` may be left out.
    Object(&'static str),
    Objects(&'static str),
    /// An element or an action, or the word `drop`.
    Fallback,
    /// Runs of text, or texts.
    Inlines,
    /// An address, or an object.
    AddressOr(&'static str),
}

#[derive(Debug)]
pub struct Property {
    pub name: &'static str,
    pub kind: Kind,
    pub since: (u8, u8),
    pub required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Card,
    Element,
    Action,
    Input,
    /// Only within an element that names it.
    Part,
}

#[derive(Debug)]
pub struct Type {
    pub name: &'static str,
    pub role: Role,
    pub since: (u8, u8),
    own: &'static [Property],
}

const fn has(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, since: (1, 0), required: false }
}

const fn must(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, since: (1, 0), required: true }
}

const fn since(minor: u8, name: &'static str, kind: Kind) -> Property {
    Property { name, kind, since: (1, minor), required: false }
}

const fn of(name: &'static str, role: Role, minor: u8, own: &'static [Property]) -> Type {
    Type { name, role, since: (1, minor), own }
}

const COLORS: Kind = Kind::Words(&["default", "dark", "light", "accent", "good", "warning", "attention"]);
const FONTS: Kind = Kind::Words(&["default", "monospace"]);
const SIDES: Kind = Kind::Words(&["left", "center", "right"]);
const PLACES: Kind = Kind::Words(&["top", "center", "bottom"]);
const TEXT_SIZES: Kind = Kind::Words(&["default", "small", "medium", "large", "extraLarge"]);
const WEIGHTS: Kind = Kind::Words(&["default", "lighter", "bolder"]);
const IMAGE_SIZES: Kind = Kind::Words(&["auto", "stretch", "small", "medium", "large"]);
const STYLES: Kind = Kind::Words(&["default", "emphasis", "good", "attention", "warning", "accent"]);
const SPACINGS: Kind = Kind::Words(&["default", "none", "small", "medium", "large", "extraLarge", "padding"]);

/// What every object of a role has beside its own.
const EVERY: &[Property] = &[has("type", Kind::Any), has("msteams", Kind::Any), since(2, "requires", Kind::Any)];
const ELEMENT: &[Property] = &[
    has("id", Kind::Text),
    since(2, "isVisible", Kind::Bool),
    has("separator", Kind::Bool),
    has("spacing", SPACINGS),
    since(1, "height", Kind::Any),
    since(2, "fallback", Kind::Fallback),
    since(5, "rtl", Kind::Bool),
];
const INPUT: &[Property] = &[
    must("id", Kind::Text),
    since(3, "errorMessage", Kind::Text),
    since(3, "isRequired", Kind::Bool),
    since(3, "label", Kind::Text),
];
const ACTION: &[Property] = &[
    has("title", Kind::Text),
    has("id", Kind::Text),
    since(1, "iconUrl", Kind::Address),
    since(2, "style", Kind::Words(&["default", "positive", "destructive"])),
    since(2, "fallback", Kind::Fallback),
    since(5, "tooltip", Kind::Text),
    since(5, "isEnabled", Kind::Bool),
    since(5, "mode", Kind::Words(&["primary", "secondary"])),
];

static TYPES: &[Type] = &[
    of(
        "AdaptiveCard",
        Role::Card,
        0,
        &[
            has("$schema", Kind::Any),
            must("version", Kind::Text),
            since(4, "refresh", Kind::Object("Refresh")),
            since(4, "authentication", Kind::Object("Authentication")),
            has("body", Kind::Elements),
            has("actions", Kind::Actions),
            since(1, "selectAction", Kind::Action),
            has("fallbackText", Kind::Text),
            has("backgroundImage", Kind::AddressOr("BackgroundImage")),
            since(2, "minHeight", Kind::Text),
            since(5, "rtl", Kind::Bool),
            has("speak", Kind::Text),
            has("lang", Kind::Text),
            has("style", STYLES),
            since(1, "verticalContentAlignment", PLACES),
        ],
    ),
    of(
        "TextBlock",
        Role::Element,
        0,
        &[
            must("text", Kind::Text),
            has("color", COLORS),
            since(2, "fontType", FONTS),
            has("horizontalAlignment", SIDES),
            has("isSubtle", Kind::Bool),
            has("maxLines", Kind::Number),
            has("size", TEXT_SIZES),
            has("weight", WEIGHTS),
            has("wrap", Kind::Bool),
            since(5, "style", Kind::Words(&["default", "heading", "columnHeader"])),
        ],
    ),
    of(
        "Image",
        Role::Element,
        0,
        &[
            must("url", Kind::Address),
            has("altText", Kind::Text),
            since(1, "backgroundColor", Kind::Text),
            has("horizontalAlignment", SIDES),
            since(1, "selectAction", Kind::Action),
            has("size", IMAGE_SIZES),
            has("style", Kind::Words(&["default", "person"])),
            since(1, "width", Kind::Any),
        ],
    ),
    of(
        "Media",
        Role::Element,
        1,
        &[must("sources", Kind::Objects("MediaSource")), has("poster", Kind::Address), has("altText", Kind::Text)],
    ),
    of("MediaSource", Role::Part, 1, &[has("mimeType", Kind::Text), must("url", Kind::Address)]),
    of("RichTextBlock", Role::Element, 2, &[must("inlines", Kind::Inlines), has("horizontalAlignment", SIDES)]),
    of(
        "TextRun",
        Role::Part,
        2,
        &[
            must("text", Kind::Text),
            has("color", COLORS),
            has("fontType", FONTS),
            has("highlight", Kind::Bool),
            has("isSubtle", Kind::Bool),
            has("italic", Kind::Bool),
            has("selectAction", Kind::Action),
            has("size", TEXT_SIZES),
            has("strikethrough", Kind::Bool),
            since(3, "underline", Kind::Bool),
            has("weight", WEIGHTS),
        ],
    ),
    of("ActionSet", Role::Element, 2, &[must("actions", Kind::Actions)]),
    of(
        "Container",
        Role::Element,
        0,
        &[
            must("items", Kind::Elements),
            since(1, "selectAction", Kind::Action),
            has("style", STYLES),
            since(1, "verticalContentAlignment", PLACES),
            since(2, "bleed", Kind::Bool),
            since(2, "backgroundImage", Kind::AddressOr("BackgroundImage")),
            since(2, "minHeight", Kind::Text),
        ],
    ),
    of(
        "ColumnSet",
        Role::Element,
        0,
        &[
            has("columns", Kind::Objects("Column")),
            since(1, "selectAction", Kind::Action),
            since(2, "style", STYLES),
            since(2, "bleed", Kind::Bool),
            since(2, "minHeight", Kind::Text),
            has("horizontalAlignment", SIDES),
        ],
    ),
    of(
        "Column",
        Role::Part,
        0,
        &[
            has("items", Kind::Elements),
            has("id", Kind::Text),
            since(2, "isVisible", Kind::Bool),
            has("separator", Kind::Bool),
            has("spacing", SPACINGS),
            since(1, "height", Kind::Any),
            since(2, "fallback", Kind::Fallback),
            since(2, "backgroundImage", Kind::AddressOr("BackgroundImage")),
            since(2, "bleed", Kind::Bool),
            since(2, "minHeight", Kind::Text),
            since(5, "rtl", Kind::Bool),
            since(1, "selectAction", Kind::Action),
            has("style", STYLES),
            since(1, "verticalContentAlignment", PLACES),
            has("width", Kind::Any),
        ],
    ),
    of("FactSet", Role::Element, 0, &[must("facts", Kind::Objects("Fact"))]),
    of("Fact", Role::Part, 0, &[must("title", Kind::Text), must("value", Kind::Text)]),
    of("ImageSet", Role::Element, 0, &[must("images", Kind::Objects("Image")), has("imageSize", IMAGE_SIZES)]),
    of(
        "Table",
        Role::Element,
        5,
        &[
            has("columns", Kind::Objects("TableColumnDefinition")),
            has("rows", Kind::Objects("TableRow")),
            has("firstRowAsHeader", Kind::Bool),
            has("firstRowAsHeaders", Kind::Bool),
            has("showGridLines", Kind::Bool),
            has("gridStyle", STYLES),
            has("horizontalCellContentAlignment", SIDES),
            has("verticalCellContentAlignment", PLACES),
        ],
    ),
    of(
        "TableColumnDefinition",
        Role::Part,
        5,
        &[
            has("width", Kind::Any),
            has("horizontalCellContentAlignment", SIDES),
            has("verticalCellContentAlignment", PLACES),
        ],
    ),
    of(
        "TableRow",
        Role::Part,
        5,
        &[
            has("cells", Kind::Objects("TableCell")),
            has("style", STYLES),
            has("horizontalCellContentAlignment", SIDES),
            has("verticalCellContentAlignment", PLACES),
        ],
    ),
    of(
        "TableCell",
        Role::Part,
        5,
        &[
            must("items", Kind::Elements),
            has("selectAction", Kind::Action),
            has("style", STYLES),
            has("verticalContentAlignment", PLACES),
            has("bleed", Kind::Bool),
            has("backgroundImage", Kind::AddressOr("BackgroundImage")),
            has("minHeight", Kind::Text),
            has("rtl", Kind::Bool),
        ],
    ),
    of(
        "Input.Text",
        Role::Input,
        0,
        &[
            has("isMultiline", Kind::Bool),
            has("maxLength", Kind::Number),
            has("placeholder", Kind::Text),
            since(3, "regex", Kind::Text),
            has("style", Kind::Words(&["text", "tel", "url", "email", "password"])),
            since(2, "inlineAction", Kind::Action),
            has("value", Kind::Text),
        ],
    ),
    of(
        "Input.Number",
        Role::Input,
        0,
        &[
            has("max", Kind::Number),
            has("min", Kind::Number),
            has("placeholder", Kind::Text),
            has("value", Kind::Number),
        ],
    ),
    of(
        "Input.Date",
        Role::Input,
        0,
        &[has("max", Kind::Text), has("min", Kind::Text), has("placeholder", Kind::Text), has("value", Kind::Text)],
    ),
    of(
        "Input.Time",
        Role::Input,
        0,
        &[has("max", Kind::Text), has("min", Kind::Text), has("placeholder", Kind::Text), has("value", Kind::Text)],
    ),
    of(
        "Input.Toggle",
        Role::Input,
        0,
        &[
            must("title", Kind::Text),
            has("value", Kind::Text),
            has("valueOff", Kind::Text),
            has("valueOn", Kind::Text),
            since(2, "wrap", Kind::Bool),
        ],
    ),
    of(
        "Input.ChoiceSet",
        Role::Input,
        0,
        &[
            has("choices", Kind::Objects("Input.Choice")),
            // Teams' own search for people and its dynamic lists.
            has("choices.data", Kind::Any),
            has("isMultiSelect", Kind::Bool),
            has("style", Kind::Words(&["compact", "expanded", "filtered"])),
            has("value", Kind::Text),
            has("placeholder", Kind::Text),
            since(2, "wrap", Kind::Bool),
        ],
    ),
    of("Input.Choice", Role::Part, 0, &[must("title", Kind::Text), must("value", Kind::Text)]),
    of("Action.OpenUrl", Role::Action, 0, &[must("url", Kind::Address)]),
    of(
        "Action.Submit",
        Role::Action,
        0,
        &[has("data", Kind::Any), since(3, "associatedInputs", Kind::Words(&["auto", "none"]))],
    ),
    of("Action.ShowCard", Role::Action, 0, &[must("card", Kind::Object("AdaptiveCard"))]),
    of("Action.ToggleVisibility", Role::Action, 2, &[must("targetElements", Kind::Any)]),
    of(
        "Action.Execute",
        Role::Action,
        4,
        &[has("verb", Kind::Text), has("data", Kind::Any), has("associatedInputs", Kind::Words(&["auto", "none"]))],
    ),
    of(
        "BackgroundImage",
        Role::Part,
        2,
        &[
            must("url", Kind::Address),
            has("fillMode", Kind::Words(&["cover", "repeatHorizontally", "repeatVertically", "repeat"])),
            has("horizontalAlignment", SIDES),
            has("verticalAlignment", PLACES),
        ],
    ),
    of("Refresh", Role::Part, 4, &[has("action", Kind::Action), has("userIds", Kind::Any), has("expires", Kind::Text)]),
    of(
        "Authentication",
        Role::Part,
        4,
        &[
            has("text", Kind::Text),
            has("connectionName", Kind::Text),
            has("tokenExchangeResource", Kind::Any),
            has("buttons", Kind::Any),
        ],
    ),
];

pub fn find(name: &str) -> Option<&'static Type> {
    // Type names are compared without regard to case, as the schema has it.
    TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The names that an element or action can have.
pub fn names(action: bool) -> impl Iterator<Item = &'static str> {
    let fits = move |known: &&Type| match known.role {
        Role::Action => action,
        Role::Element | Role::Input => !action,
        Role::Card | Role::Part => false,
    };
    TYPES.iter().filter(fits).map(|known| known.name)
}

impl Type {
    /// All properties, those of its role included.
    pub fn properties(&self) -> impl Iterator<Item = &'static Property> {
        let of_role: [&'static [Property]; 3] = match self.role {
            Role::Element => [ELEMENT, &[], EVERY],
            Role::Input => [INPUT, ELEMENT, EVERY],
            Role::Action => [ACTION, &[], EVERY],
            Role::Card | Role::Part => [&[], &[], EVERY],
        };
        self.own.iter().chain(of_role.into_iter().flatten())
    }

    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties().find(|property| property.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_that_a_property_names_is_declared() {
        for known in TYPES {
            for property in known.properties() {
                if let Kind::Object(name) | Kind::Objects(name) | Kind::AddressOr(name) = property.kind {
                    assert!(find(name).is_some(), "{}.{}", known.name, property.name);
                }
                assert!(property.since <= NEWEST);
            }
        }
    }
}
