//! Subscriptions: read, ended, paused and taken up again. They are made by [`super::checkout`].

use stripe_billing::subscription::{
    CancelSubscription, ListSubscription, ListSubscriptionStatus, PauseSubscription, PauseSubscriptionType,
    ResumeSubscription, ResumeSubscriptionPaymentBehavior, RetrieveSubscription, UpdateSubscription,
    UpdateSubscriptionPauseCollection, UpdateSubscriptionPauseCollectionBehavior,
};

use super::{Created, MAX_PER_PAGE, Metadata, expanding, hashed, post, segment, typed};
use crate::request::Request;
use crate::views::{Page, Subscription, SubscriptionStatus};

/// One subscription.
pub fn get(id: &str) -> Request<Subscription> {
    typed(&RetrieveSubscription::new(segment(id)))
}

/// One subscription with its latest invoice and what paid it.
pub fn get_with_invoice(id: &str) -> Request<Subscription> {
    typed(&RetrieveSubscription::new(segment(id)).expand(expanding(&["latest_invoice.payments"])))
}

/// Which subscriptions. Those that have ended are among them, unless a status is asked for.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter<'a> {
    /// Of this customer.
    pub customer: Option<&'a str>,
    /// To this price.
    pub price: Option<&'a str>,
    /// In this status.
    pub status: Option<SubscriptionStatus>,
    /// Made then.
    pub created: Created,
}

/// Subscriptions.
pub fn list(filter: &SubscriptionFilter<'_>) -> Request<Page<Subscription>> {
    let status = filter.status.as_ref().map_or(ListSubscriptionStatus::All, status);
    let mut request = ListSubscription::new().status(status).limit(MAX_PER_PAGE);
    if let Some(customer) = filter.customer {
        request = request.customer(customer);
    }
    if let Some(price) = filter.price {
        request = request.price(price);
    }
    if let Some(range) = filter.created.range() {
        request = request.created(range);
    }
    typed(&request)
}

fn status(status: &SubscriptionStatus) -> ListSubscriptionStatus {
    let text = status.as_str();
    text.parse().unwrap_or_else(|_| ListSubscriptionStatus::Unknown(text.to_owned()))
}

/// Ends it now and for good. No refund is given, and invoices that were not paid are collected no further.
pub fn cancel_now(id: &str) -> Request<Subscription> {
    typed(&CancelSubscription::new(segment(id)))
}

/// Ends it at the end of what is paid for (`true`), or lets it go on (`false`), which is possible until it has ended.
pub fn cancel_at_period_end(id: &str, ends: bool) -> Request<Subscription> {
    typed(&UpdateSubscription::new(segment(id)).cancel_at_period_end(ends))
}

/// Takes back an end that was set for a date (`cancel_at`).
pub fn clear_cancel_at(id: &str) -> Request<Subscription> {
    post(format!("/subscriptions/{}", segment(id)), &[("cancel_at", "")])
}

/// Stops collecting: invoices are made and voided, so no debt grows, until a time in seconds since 1970 or until
/// [`clear_pause_collection`]. The subscription stays `active`.
pub fn pause_collection(id: &str, resumes_at: Option<i64>) -> Request<Subscription> {
    let mut pause = UpdateSubscriptionPauseCollection::new(UpdateSubscriptionPauseCollectionBehavior::Void);
    pause.resumes_at = resumes_at;
    typed(&UpdateSubscription::new(segment(id)).pause_collection(pause))
}

/// Collects again. The next invoice comes at the end of the period; nothing is charged now.
pub fn clear_pause_collection(id: &str) -> Request<Subscription> {
    post(format!("/subscriptions/{}", segment(id)), &[("pause_collection", "")])
}

/// Pauses the subscription itself: its status becomes `paused`, its period ends now with a credit for what is left of it,
/// and no invoices are made. Only in flexible billing mode, and only without a schedule.
pub fn pause(id: &str) -> Request<Subscription> {
    typed(&PauseSubscription::new(segment(id)).type_(PauseSubscriptionType::Subscription))
}

/// Takes up a subscription whose status is `paused`. A new period begins now and is charged; it is taken up once that is
/// paid.
pub fn resume(id: &str) -> Request<Subscription> {
    let request = ResumeSubscription::new(segment(id));
    typed(&request.payment_behavior(ResumeSubscriptionPaymentBehavior::ResumeOnPaymentSuccess))
}

/// Keeps more with it.
pub fn set_metadata(id: &str, metadata: &Metadata) -> Request<Subscription> {
    typed(&UpdateSubscription::new(segment(id)).metadata(hashed(metadata)))
}

/// What an item is to cost.
#[derive(Clone, Copy, Debug)]
pub struct ItemPrice<'a> {
    /// `si_…`.
    pub item: &'a str,
    /// The price that it gets; its quantity stays.
    pub price: &'a str,
    /// As of when the rest of the period is settled, in seconds since 1970; within the period. Not given: now.
    pub proration_date: Option<i64>,
}

/// Gives an item another price now. What is left of the old one is credited, and the difference is invoiced and collected at
/// once; where that fails the subscription becomes `past_due`.
pub fn change_price(id: &str, change: &ItemPrice<'_>) -> Request<Subscription> {
    let date = change.proration_date.map(|date| date.to_string());
    let mut form = vec![
        ("items[0][id]", change.item),
        ("items[0][price]", change.price),
        ("payment_behavior", "allow_incomplete"),
        ("proration_behavior", "always_invoice"),
    ];
    form.extend(date.as_deref().map(|date| ("proration_date", date)));
    post(format!("/subscriptions/{}", segment(id)), &form)
}
