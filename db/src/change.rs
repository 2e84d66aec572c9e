use serde_json::Value;

/// One row that a transaction wrote, as the outside sees it.
///
/// Store functions report their changes to the [`Tx`](crate::Tx); the activity log's diff and the
/// `changes` of a dry run are this list.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What was written: `member`, `block`, `key`, ….
    pub kind: &'static str,
    /// The id of what was written, or what stands for one (a tag, an address).
    pub id: String,
    /// The state before; `None` if it was created.
    pub before: Option<Value>,
    /// The state after; `None` if it was deleted.
    pub after: Option<Value>,
}

impl Change {
    /// Something new.
    pub fn created(kind: &'static str, id: impl Into<String>, after: Value) -> Self {
        Self { kind, id: id.into(), before: None, after: Some(after) }
    }

    /// Something that was there and is different now.
    pub fn updated(kind: &'static str, id: impl Into<String>, before: Value, after: Value) -> Self {
        Self { kind, id: id.into(), before: Some(before), after: Some(after) }
    }

    /// Something that is gone.
    pub fn deleted(kind: &'static str, id: impl Into<String>, before: Value) -> Self {
        Self { kind, id: id.into(), before: Some(before), after: None }
    }
}
