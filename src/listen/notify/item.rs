//! A notification as it came, and the collection around it. Names are compared without regard to case, as Microsoft's own
//! samples differ in it, and members that are not known stay.
//! <https://learn.microsoft.com/graph/api/resources/changenotification>

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order, each value as it was sent.
#[derive(Debug, Default)]
pub struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<'t>(std::marker::PhantomData<&'t ()>);

        impl<'de: 't, 't> Visitor<'de> for Object<'t> {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object(std::marker::PhantomData))
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

/// A value of another type than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongType;

impl<'t> Members<'t> {
    pub fn of(text: &'t str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The first value of this name; `None` for null.
    pub fn get(&self, name: &str) -> Option<&'t RawValue> {
        let found = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    pub fn text(&self, name: &str) -> Result<Option<Cow<'t, str>>, WrongType> {
        let Some(value) = self.get(name) else { return Ok(None) };
        serde_json::from_str::<Name<'t>>(value.get()).map(|Name(text)| Some(text)).map_err(|_| WrongType)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &'t RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// The object again, without some of its members.
    pub fn without(&self, names: &[&str]) -> String {
        let kept = self.iter().filter(|(key, _)| !names.iter().any(|name| key.eq_ignore_ascii_case(name)));
        joined(kept.map(|(key, value)| (key, value.get())))
    }
}

/// An object of members.
pub fn joined<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (key, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(key).to_string());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

/// What is encrypted, as base64.
#[derive(Debug)]
pub struct Encrypted<'t> {
    pub data: Cow<'t, str>,
    pub signature: Option<Cow<'t, str>>,
    pub key: Cow<'t, str>,
    pub label: Option<Cow<'t, str>>,
    pub thumbprint: Option<Cow<'t, str>>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

impl ChangeKind {
    fn of(text: &str) -> Option<Self> {
        [Self::Created, Self::Updated, Self::Deleted].into_iter().find(|kind| text.eq_ignore_ascii_case(kind.as_str()))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// What is said of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleKind {
    ReauthorizationRequired,
    SubscriptionRemoved,
    Missed,
}

impl LifecycleKind {
    pub fn of(text: &str) -> Option<Self> {
        [Self::ReauthorizationRequired, Self::SubscriptionRemoved, Self::Missed]
            .into_iter()
            .find(|kind| text.eq_ignore_ascii_case(kind.as_str()))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }
}

/// What an item is about.
#[derive(Debug)]
pub enum Subject {
    Change(ChangeKind),
    Lifecycle(LifecycleKind),
    /// Event Hubs get a test item before the first real one.
    Validation,
    /// A kind that Graph may have added.
    Unknown,
}

/// One notification.
pub struct Item<'t> {
    pub members: Members<'t>,
    pub subject: Subject,
    pub subscription: Cow<'t, str>,
    pub client_state: Option<Cow<'t, str>>,
    pub tenant: Option<Cow<'t, str>>,
    pub resource: Option<Cow<'t, str>>,
    pub encrypted: Option<Encrypted<'t>>,
    /// Where the content lies that was too large.
    pub storage: Option<Cow<'t, str>>,
}

impl<'t> Item<'t> {
    /// `None` for what is no notification.
    pub fn read(text: &'t str) -> Option<Self> {
        Self::of(Members::of(text)?).ok().flatten()
    }

    fn of(members: Members<'t>) -> Result<Option<Self>, WrongType> {
        let Some(subscription) = members.text("subscriptionId")? else { return Ok(None) };
        let (change, lifecycle) = (members.text("changeType")?, members.text("lifecycleEvent")?);
        let subject = match (&change, &lifecycle) {
            (_, Some(event)) => LifecycleKind::of(event).map_or(Subject::Unknown, Subject::Lifecycle),
            (Some(change), None) if subscription == "NA" && change.starts_with("Validation") => Subject::Validation,
            (Some(change), None) => ChangeKind::of(change).map_or(Subject::Unknown, Subject::Change),
            (None, None) => return Ok(None),
        };
        let encrypted = members.get("encryptedContent").map(Self::encrypted).transpose()?;
        Ok(Some(Self {
            subject,
            subscription,
            client_state: members.text("clientState")?,
            tenant: members.text("tenantId")?,
            resource: members.text("resource")?,
            encrypted,
            storage: members.text("additionalPayloadStorageId")?,
            members,
        }))
    }

    fn encrypted(value: &'t RawValue) -> Result<Encrypted<'t>, WrongType> {
        let content = Members::of(value.get()).ok_or(WrongType)?;
        Ok(Encrypted {
            data: content.text("data")?.ok_or(WrongType)?,
            signature: content.text("dataSignature")?,
            key: content.text("dataKey")?.ok_or(WrongType)?,
            label: content.text("encryptionCertificateId")?,
            thumbprint: content.text("encryptionCertificateThumbprint")?,
        })
    }

    /// Whether a change comes without what changed. Of a deletion nothing more need be known than that it is one.
    pub fn is_without_content(&self, kind: ChangeKind) -> bool {
        self.encrypted.is_none() && self.storage.is_none() && kind != ChangeKind::Deleted
    }

    /// The object that changed; `resourceData` names it too.
    pub fn path(&self) -> Option<Cow<'t, str>> {
        self.resource.clone().or_else(|| {
            let data = Members::of(self.members.get("resourceData")?.get())?;
            data.text("@odata.id").ok().flatten()
        })
    }
}

/// A body: items in their order, and the tokens that vouch for them.
pub struct Collection<'t> {
    pub items: Vec<&'t RawValue>,
    pub tokens: Vec<Cow<'t, str>>,
}

impl<'t> Collection<'t> {
    /// `None` for what is no collection of notifications.
    pub fn read(text: &'t str) -> Option<Self> {
        let members = Members::of(text)?;
        let items = serde_json::from_str(members.get("value")?.get()).ok()?;
        let tokens = match members.get("validationTokens") {
            Some(tokens) => serde_json::from_str::<Vec<Name<'t>>>(tokens.get()).ok()?,
            None => Vec::new(),
        };
        Some(Self { items, tokens: tokens.into_iter().map(|Name(token)| token).collect() })
    }

    /// The same, or one item alone, as some consumers of a hub hand them on.
    pub fn read_value(text: &'t str) -> Option<Self> {
        Self::read(text).or_else(|| {
            let whole: &RawValue = serde_json::from_str(text).ok()?;
            Item::read(text).map(|_| Self { items: vec![whole], tokens: Vec::new() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_unknown_members_stay() {
        let text = r#"{"SubscriptionId":"s","ChangeType":"Created","ClientState":"hush","new":{"a":[1, 2]},
            "EncryptedContent":{"Data":"d","DataKey":"k"},"resource":null}"#;
        let item = Item::read(text).unwrap();
        assert!(matches!(item.subject, Subject::Change(ChangeKind::Created)));
        assert_eq!(item.client_state.as_deref(), Some("hush"));
        assert_eq!(item.encrypted.as_ref().unwrap().signature, None);
        assert_eq!(item.resource, None);
        let kept = item.members.without(&["clientState"]);
        assert!(kept.contains(r#""new":{"a":[1, 2]}"#) && !kept.contains("hush"), "{kept}");
        assert!(Item::read(&kept).is_some());
    }

    #[test]
    fn kinds_are_told_apart() {
        let subject = |text: &str| Item::read(text).map(|item| item.subject);
        assert!(matches!(
            subject(r#"{"subscriptionId":"NA","changeType":"Validation: Testing client application"}"#),
            Some(Subject::Validation)
        ));
        assert!(matches!(
            subject(r#"{"subscriptionId":"s","lifecycleEvent":"SubscriptionRemoved"}"#),
            Some(Subject::Lifecycle(LifecycleKind::SubscriptionRemoved))
        ));
        assert!(matches!(subject(r#"{"subscriptionId":"s","changeType":"renamed"}"#), Some(Subject::Unknown)));
        for none in ["{}", "[]", "null", r#"{"changeType":"created"}"#, r#"{"subscriptionId":"s"}"#] {
            assert!(subject(none).is_none(), "{none}");
        }
        for wrong in [r#"{"subscriptionId":7,"changeType":"created"}"#, r#"{"subscriptionId":"s","changeType":[]}"#] {
            assert!(subject(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_collection_is_read_whole_or_not_at_all() {
        let read = |text: &str| Collection::read(text).map(|all| (all.items.len(), all.tokens.len()));
        assert_eq!(read(r#"{"value":[{},7,"x"],"validationTokens":["a"]}"#), Some((3, 1)));
        assert_eq!(read(r#"{"Value":[],"validationTokens":null}"#), Some((0, 0)));
        for none in ["", "{}", "[]", r#"{"value":null}"#, r#"{"value":[{]}"#, r#"{"value":[],"validationTokens":[7]}"#]
        {
            assert_eq!(read(none), None, "{none}");
        }
        let alone = r#"{"subscriptionId":"s","changeType":"created"}"#;
        assert_eq!(Collection::read_value(alone).unwrap().items.len(), 1);
        assert!(Collection::read_value("{}").is_none());
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!(r#"{{"value":[{}{}]}}"#, "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Collection::read(&deep).map(|all| all.items.len()), Some(1));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            let _ = Collection::read_value(&text);
        }
    }
}
