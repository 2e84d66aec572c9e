//! What an integrator keeps with a member: texts by key, and an id of its own.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    values::{json_string, text},
};

/// Keys that a member has at most.
pub const MAX_KEYS: usize = 50;

/// Characters of a key and of a value.
const LONGEST_KEY: usize = 40;
const LONGEST_VALUE: usize = 500;

/// Characters of an external id.
const LONGEST_ID: usize = 200;

/// The id that a member has elsewhere: one line, compared as it is written. Empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalId(Box<str>);

/// A text that no external id can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one line of at most 200 characters without control characters")]
pub struct InvalidExternalId;

impl ExternalId {
    /// Reads an external id.
    pub fn parse(text: &str) -> std::result::Result<Self, InvalidExternalId> {
        let text = text.trim();
        let fits = text.is_empty() || text::is_line(text) && text::is_visible(text);
        (fits && text.chars().count() <= LONGEST_ID).then(|| Self(text.into())).ok_or(InvalidExternalId)
    }

    /// The id, if there is one.
    pub fn into_option(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.into())
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

json_string!(
    impl[] ExternalId,
    "string_external_id",
    MetaSchema {
        max_length: Some(LONGEST_ID),
        pattern: Some(text::VISIBLE_LINE_OR_NONE.into()),
        example: Some("wp_1042".into()),
        ..MetaSchema::new("string")
    },
    ExternalId::parse
);

/// Texts by key, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// What is to become of texts by key: a text takes the place of the one before; none, or an empty one, removes the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataChange(BTreeMap<String, Option<String>>);

impl Metadata {
    /// As it is stored.
    pub fn stored(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// To be stored; `None` if there is nothing.
    pub fn to_store(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::to_string(&self.0).expect("texts are JSON"))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a text, which fits, in its place.
    pub fn insert(&mut self, key: String, value: String) {
        self.0.insert(key, value);
    }

    /// Its keys and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// These and the keys of `other` that it does not have, as far as there is room.
    pub fn united(mut self, other: &Self) -> Self {
        for (key, value) in &other.0 {
            if self.0.len() < MAX_KEYS {
                self.0.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        self
    }

    /// With all of `other`; `None` if there would be too many.
    pub fn overlaid(&self, other: &Self) -> Option<Self> {
        let all: BTreeMap<_, _> =
            self.0.iter().chain(&other.0).map(|(key, value)| (key.clone(), value.clone())).collect();
        (all.len() <= MAX_KEYS).then_some(Self(all))
    }

    /// With a change; a refusal names the key that does not fit.
    pub fn changed(&self, change: MetadataChange) -> Result<Self> {
        let mut after = self.clone();
        for (key, value) in change.0 {
            if let Some(why) = fault(&key, value.as_deref().unwrap_or_default()) {
                let key: String = key.chars().take(LONGEST_KEY).collect();
                return Err(Error::refused(&format!("args.metadata.{key}"), why));
            }
            match value.filter(|value| !value.is_empty()) {
                Some(value) => _ = after.0.insert(key, value),
                None => _ = after.0.remove(&key),
            }
        }
        match after.0.len() {
            0..=MAX_KEYS => Ok(after),
            n => Err(Error::refused(
                "args.metadata",
                format!("the member would have {n} keys; at most {MAX_KEYS} are allowed"),
            )),
        }
    }
}

/// Why a text cannot be kept under a key.
pub fn fault(key: &str, value: &str) -> Option<&'static str> {
    let is_key = text::is_line(key) && text::is_visible(key) && key.trim() == key && key.chars().count() <= LONGEST_KEY;
    match () {
        () if !is_key => Some("a key is one line of 1 to 40 characters"),
        () if value.chars().count() > LONGEST_VALUE => Some("a value has at most 500 characters"),
        () if !text::is_plain(value) => Some("a value has no control characters but tabs and line breaks"),
        () => None,
    }
}

fn schema(takes_null: bool) -> MetaSchemaRef {
    let value = MetaSchema { nullable: takes_null, max_length: Some(LONGEST_VALUE), ..MetaSchema::new("string") };
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        max_properties: Some(MAX_KEYS),
        additional_properties: Some(Box::new(MetaSchemaRef::Inline(Box::new(value)))),
        example: Some(json!({ "plan": "founder" })),
        ..MetaSchema::new("object")
    }))
}

macro_rules! metadata_type {
    ($type:ty, $name:literal, $takes_null:literal) => {
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                schema($takes_null)
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl ParseFromJSON for $type {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                serde_json::from_value(value.unwrap_or_default()).map(Self).map_err(ParseError::custom)
            }
        }

        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                serde_json::to_value(&self.0).ok()
            }
        }
    };
}

metadata_type!(Metadata, "object_metadata", false);
metadata_type!(MetadataChange, "object_metadata_change", true);

#[cfg(test)]
mod tests {
    use super::*;

    fn change(value: Value) -> MetadataChange {
        MetadataChange::parse_from_json(Some(value)).unwrap()
    }

    #[test]
    fn a_change_puts_and_removes_keys() {
        let before = Metadata::default().changed(change(json!({ "a": "1", "b": "2", "gone": null }))).unwrap();
        assert_eq!(before.to_store().as_deref(), Some(r#"{"a":"1","b":"2"}"#));
        let after = before.changed(change(json!({ "a": null, "b": "3", "c": "4" }))).unwrap();
        assert_eq!(after.to_json(), Some(json!({ "b": "3", "c": "4" })));
        assert_eq!(after.changed(change(json!({ "b": "", "c": null }))).unwrap().to_store(), None);
        assert_eq!(Metadata::stored(r#"{"a":"1","b":"2"}"#), before);
    }

    #[test]
    fn keys_and_values_have_limits() {
        let of = |key: &str, value: &str| Metadata::default().changed(change(json!({ key: value }))).is_ok();
        assert!(of(&"k".repeat(40), &"é".repeat(500)));
        assert!(!of(&"k".repeat(41), "x") && !of("k", &"é".repeat(501)) && !of("", "x") && !of("a\nb", "x"));
        assert!(!of("k", "\u{7}") && !of(" k", "x") && of("k", "two\nlines"));
        let many = |n: usize| (0..n).map(|n| (format!("k{n}"), Some("x".to_owned()))).collect();
        let full = Metadata::default().changed(MetadataChange(many(50))).unwrap();
        assert!(full.changed(change(json!({ "one more": "x" }))).is_err());
        assert!(full.changed(change(json!({ "one more": "x", "k0": null }))).is_ok());
        assert_eq!(full.clone().united(&Metadata::stored(r#"{"other":"x","k0":"y"}"#)), full);
    }
}
