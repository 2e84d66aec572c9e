//! Lists.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::lenient::{flag, or_default};

/// A list inside an object: its first items, and whether there are more.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct List<T> {
    /// The items.
    #[serde(deserialize_with = "or_default", default = "Vec::new", bound(deserialize = "T: Deserialize<'de>"))]
    pub data: Vec<T>,
    /// Whether there are more than these.
    #[serde(default, deserialize_with = "flag")]
    pub has_more: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { data: Vec::new(), has_more: false }
    }
}

/// A page of a list. An object that cannot be read costs itself and not the page: it is named in `unreadable`.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The objects that can be read, in Stripe's order, newest first.
    pub data: Vec<T>,
    /// Those that cannot.
    pub unreadable: Vec<Unreadable>,
    /// Whether another page follows.
    pub has_more: bool,
    /// The id of the first object, readable or not.
    pub first_id: Option<String>,
    /// The id of the last object, readable or not.
    pub last_id: Option<String>,
}

/// An object of a page that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Where it is wrong, never what it says.
    pub why: String,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            data: Vec<Value>,
            #[serde(default, deserialize_with = "flag")]
            has_more: bool,
        }
        let raw = Raw::deserialize(deserializer)?;
        let id = |object: Option<&Value>| Some(object?.get("id")?.as_str()?.to_owned());
        let mut page = Self {
            first_id: id(raw.data.first()),
            last_id: id(raw.data.last()),
            has_more: raw.has_more,
            data: Vec::with_capacity(raw.data.len()),
            unreadable: Vec::new(),
        };
        for object in raw.data {
            let id = id(Some(&object));
            match serde_path_to_error::deserialize(object) {
                Ok(object) => page.data.push(object),
                Err(error) => page.unreadable.push(Unreadable { id, why: format!("at {}", error.path()) }),
            }
        }
        Ok(page)
    }
}
