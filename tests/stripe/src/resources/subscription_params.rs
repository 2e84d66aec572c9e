//! The parameters of subscriptions that are more than a word.

use super::subscriptions::{Item, PauseCollection};
use crate::{
    error::{ApiError, Result},
    form::{Params, Patch},
};

/// What is to become of an item.
pub struct ItemChange {
    /// `si_…`; a new one without it.
    pub id: Option<String>,
    /// Empty if it stays.
    pub price: String,
    /// As before if not given.
    pub quantity: Option<i64>,
    deleted: bool,
}

/// `items[…]`
pub fn take_items(params: &mut Params) -> Result<Option<Vec<ItemChange>>> {
    let Some(Some(items)) = params.branches("items")? else { return Ok(None) };
    let each = items.into_iter().map(|mut item| {
        let id = item.text("id")?;
        let price = if id.is_some() { item.text("price")?.unwrap_or_default() } else { item.required("price")? };
        let quantity = item.int("quantity")?;
        let deleted = item.boolean("deleted")?.unwrap_or(false);
        item.finish()?;
        Ok(ItemChange { id, price, quantity, deleted })
    });
    Ok(Some(each.collect::<Result<_>>()?))
}

/// Changes or removes an item.
pub fn change_item(items: &mut Vec<Item>, id: &str, change: &ItemChange) -> Result<()> {
    let Some(at) = items.iter().position(|item| item.id == id) else {
        return Err(ApiError::no_such("subscription item", id, "items[0][id]"));
    };
    if change.deleted {
        items.remove(at);
        return Ok(());
    }
    items[at].quantity = change.quantity.unwrap_or(items[at].quantity);
    if !change.price.is_empty() {
        items[at].price.clone_from(&change.price);
    }
    Ok(())
}

/// When a trial is to end: `trial_end` or so many days from now.
pub fn take_trial(params: &mut Params, now: i64) -> Result<Option<i64>> {
    const DAY: i64 = 86_400;
    let days = params.int("trial_period_days")?;
    match params.text("trial_end")?.as_deref() {
        None => Ok(days.filter(|days| *days > 0).map(|days| now + days * DAY)),
        Some("now") => Ok(Some(now)),
        Some(at) => match at.parse::<i64>() {
            Ok(at) if at > now => Ok(Some(at)),
            _ => Err(ApiError::invalid(
                &params.name("trial_end"),
                format!("Invalid timestamp: {at}, must be in the future"),
            )),
        },
    }
}

/// `pause_collection[…]`; an empty text ends it.
pub fn take_pause(params: &mut Params) -> Result<Patch<PauseCollection>> {
    let Some(pause) = params.branch("pause_collection")? else { return Ok(None) };
    let Some(mut pause) = pause else { return Ok(Some(None)) };
    let behavior = pause.word("behavior", &["keep_as_draft", "mark_uncollectible", "void"])?;
    let behavior = behavior.ok_or_else(|| ApiError::missing("pause_collection[behavior]"))?;
    let resumes_at = pause.int("resumes_at")?;
    pause.finish()?;
    Ok(Some(Some(PauseCollection { behavior, resumes_at })))
}

/// `cancellation_details[…]`: comment and feedback.
pub fn take_details(mut details: Params) -> Result<(Patch<String>, Patch<String>)> {
    let taken = (details.patch("comment")?, details.patch("feedback")?);
    details.finish()?;
    Ok(taken)
}
