//! Events of the last 30 days: what webhooks that were lost would have told.

use stripe_core::event::{ListEvent, RetrieveEvent};

use super::{Created, MAX_PER_PAGE, segment, typed};
use crate::request::Request;
use crate::views::{Event, Page};

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter<'a> {
    /// Of these types, up to 20; all if there are none.
    pub types: &'a [&'a str],
    /// Made then. Stripe knows no second more exactly.
    pub created: Created,
    /// Only those that were delivered to every endpoint, or only those that were not.
    pub delivered: Option<bool>,
}

/// Events, newest first. To go on from the last one seen, take a [`crate::Pager`] in [`crate::Direction::Newer`].
pub fn list(filter: &EventFilter<'_>) -> Request<Page<Event>> {
    let mut request = ListEvent::new().limit(MAX_PER_PAGE);
    if !filter.types.is_empty() {
        request = request.types(filter.types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    }
    if let Some(range) = filter.created.range() {
        request = request.created(range);
    }
    if let Some(delivered) = filter.delivered {
        request = request.delivery_success(delivered);
    }
    typed(&request)
}

/// One event.
pub fn get(id: &str) -> Request<Event> {
    typed(&RetrieveEvent::new(segment(id)))
}
