//! Pages of a list: keyset cursors, which stay true while rows are added.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::error::{Code, Error, Result};

/// Items of a page unless the call says otherwise.
pub fn default_limit() -> u32 {
    50
}

/// A text after every id: where a list that is newest first begins.
pub const LAST: &str = "~";

/// Where a page ends: the list and the order it is in, and the values of its last item that the order goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    order: String,
    values: Vec<String>,
}

impl Cursor {
    /// The cursor after an item. `order` names the list too, so that no other takes it for its own.
    pub fn after<const N: usize>(order: &str, values: [String; N]) -> Self {
        Self { order: order.into(), values: values.into() }
    }

    /// As clients get it: opaque, and safe in a URL.
    pub fn encode(&self) -> String {
        let parts: Vec<_> = std::iter::once(&self.order).chain(&self.values).collect();
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).expect("texts are JSON"))
    }

    /// Reads a cursor of a list in this order; `None` stays `None`, the first page.
    pub fn decode<const N: usize>(text: Option<&str>, order: &str) -> Result<Option<[String; N]>> {
        let Some(text) = text else { return Ok(None) };
        let parts = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let parts: Vec<String> = parts.ok_or_else(invalid)?;
        match parts.split_first() {
            Some((known, values)) if known == order && values.iter().all(|value| !value.contains('\0')) => {
                values.to_vec().try_into().map(Some).map_err(|_| invalid())
            }
            _ => Err(invalid()),
        }
    }
}

fn invalid() -> Error {
    Error::new(
        Code::InvalidCursor,
        "The cursor is not one that this list gave in this order. Pass nextCursor of the page before as it is, or leave cursor out to begin anew.",
    )
}

/// Cuts a list that was read with one item too many to its page, and says whether there are more.
pub fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_in_its_own_order_only() {
        let text = Cursor::after("-created", ["1".into(), "mem_x".into()]).encode();
        assert_eq!(Cursor::decode(Some(&text), "-created").unwrap(), Some(["1".into(), "mem_x".into()]));
        assert!(Cursor::decode::<2>(Some(&text), "name").is_err());
        assert!(Cursor::decode::<3>(Some(&text), "-created").is_err());
        assert!(Cursor::decode::<2>(Some("nonsense"), "-created").is_err());
    }
}
