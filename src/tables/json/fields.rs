//! A few properties of one item that needs no row: an id, a link, a time.
//!
//! The rules are those of the columns: the first value of a key counts, and an id that was sent as a number is its text.

use std::borrow::Cow;

use super::reader::Json;

/// The members of an object, each value as it was sent.
pub struct Fields<'t>(Vec<(Cow<'t, str>, &'t str)>);

impl<'t> Fields<'t> {
    /// `None` for what is no object.
    pub fn of(text: &'t str) -> Option<Self> {
        let mut json = Json::new(text);
        let mut members = Vec::new();
        if json.peek().ok()? != b'{' {
            return None;
        }
        json.object(|json| {
            let key = json.key()?;
            members.push((key, json.raw()?));
            Ok(())
        })
        .ok()?;
        Some(Self(members))
    }

    fn value(&self, name: &str) -> Option<&'t str> {
        let mut values = self.0.iter().filter(|(key, value)| key == name && *value != "null");
        values.next().map(|(_, value)| *value)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        Json::new(self.value(name)?).string().ok().map(Cow::into_owned)
    }

    /// What tells an item apart from others: not empty.
    pub fn key(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        let is_number = matches!(value.as_bytes().first(), Some(b'-' | b'0'..=b'9'));
        let key = if is_number { Some(value.to_owned()) } else { self.text(name) };
        key.filter(|key| !key.is_empty())
    }

    /// What names a scope: a key without the slash that divides a scope's parts.
    pub fn id(&self, name: &str) -> Option<String> {
        self.key(name).filter(|id| !id.contains('/'))
    }

    pub fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.value(name)?)
    }

    pub fn is_list(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.starts_with('['))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_every_form_and_the_first_counts() {
        let id = |text: &str| Fields::of(text).and_then(|fields| fields.id("id"));
        assert_eq!(id(r#"{"x":{"id":"no"},"id":"a","id":"b"}"#).as_deref(), Some("a"));
        assert_eq!(id(r#"{"id":null,"id":7}"#).as_deref(), Some("7"));
        assert_eq!(id(r#"{"i\u0064":"\u0061"}"#).as_deref(), Some("a"));
        for none in ["{}", r#"{"id":""}"#, r#"{"id":"a/b"}"#, r#"{"id":{}}"#, r#"{"id":true}"#, "[]", "7", r#"{"id":"#]
        {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_no_text() {
        let fields = Fields::of(r#"{"a":5,"b":{"c":"d"},"e":["f"]}"#).unwrap();
        assert_eq!((fields.text("a"), fields.text("e"), fields.text("nowhere")), (None, None, None));
        assert_eq!(["a", "b", "e", "nowhere"].map(|name| fields.is_list(name)), [false, false, true, false]);
        assert_eq!(fields.object("b").unwrap().text("c").as_deref(), Some("d"));
        assert!(fields.object("a").is_none());
    }
}
