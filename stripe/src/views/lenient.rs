//! Reading what others write slightly otherwise.

use serde::{Deserialize, Deserializer};

/// A value, or its default where `null` stands.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A boolean, which localstripe gives as text where it was sent as text; false where `null` stands.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Said(bool),
        Text(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Flag::Said(value)) => value,
        Some(Flag::Text(text)) => text == "true",
        None => false,
    })
}
