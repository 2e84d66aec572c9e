//! One object named in another: by its id, or whole where the request asked to expand it.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Another object: its id, and all of it where it was expanded and can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Ref<T> {
    id: String,
    whole: Option<Box<T>>,
}

impl<T> Ref<T> {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All of it.
    pub fn whole(&self) -> Option<&T> {
        self.whole.as_deref()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Value::String(id) = value {
            return Ok(Self { id, whole: None });
        }
        let id =
            value.get("id").and_then(Value::as_str).ok_or_else(|| D::Error::custom("neither an id nor an object"))?;
        let id = id.to_owned();
        Ok(Self { id, whole: T::deserialize(value).ok().map(Box::new) })
    }
}
