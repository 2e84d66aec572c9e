//! `ifUpdatedAt`: a call that changes a thing only if it is as the caller has read it.
//!
//! The tool holds the thing's row before it reads it, so what it notes as the state before is the state that the change
//! was made on. That is compared after the tool has run; a call that is refused then is rolled back like any other. So
//! every tool that says what it changes ([`Versioned`]) is guarded by the same few lines.

use serde_json::{Value, json};

use super::Cx;
use crate::{
    error::{Code, Detail, Error, Result},
    tools::{Versioned, schema::IF_UPDATED_AT},
    values::Time,
};

/// Takes the moment that a call names out of its arguments.
pub(super) fn take(args: &mut Value) -> Result<Option<Time>> {
    let Some(text) = args.as_object_mut().and_then(|fields| fields.shift_remove(IF_UPDATED_AT)) else {
        return Ok(None);
    };
    let time = text.as_str().and_then(|text| Time::parse(text).ok());
    // The schema has let it in.
    time.map(Some).ok_or_else(|| Error::internal("ifUpdatedAt is not a time"))
}

/// Refuses a call if what it has changed was not as the caller has seen it.
pub(super) fn check(cx: &mut Cx, thing: Versioned, seen: Time, result: &Value) -> Result<()> {
    let may_read = cx.caller.key.scopes.has(thing.read);
    let now = &result[thing.kind];
    let id = now["id"].as_str().unwrap_or_default();
    let noted = cx.tx().changes().iter().filter(|change| change.id == id);
    let before = noted.filter_map(|change| change.before.as_ref()).find(|before| before["updatedAt"].is_string());
    let current = before.unwrap_or(now);
    let updated_at = current["updatedAt"].as_str().unwrap_or_default();
    if Time::parse(updated_at).is_ok_and(|time| time == seen.floor_to_millis()) {
        return Ok(());
    }
    let shown = match may_read {
        true => current.clone(),
        false => json!({ "id": id, "updatedAt": updated_at }),
    };
    let text = format!(
        "The {} was changed at {updated_at}, after it was read; nothing was written. `current` has it as it is now.",
        thing.kind
    );
    Err(Error::new(Code::ChangedMeanwhile, text).with(Detail::Current(thing.kind, shown)))
}
