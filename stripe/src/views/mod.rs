//! What is read of Stripe's answers: a few fields each, in the shapes of all API versions since 2020-08-27.
//!
//! Whatever Stripe may leave out is optional or has a default; unknown fields are passed over, and an unknown word is kept
//! as it is. Amounts are in minor units (see [`crate::money`]), times in seconds since 1970.

mod account;
mod billing_portal;
mod checkout;
mod coupon;
mod customer;
mod event;
mod invoice;
mod lenient;
mod line;
mod page;
mod payment;
mod price;
mod product;
mod reference;
mod schedule;
mod subscription;

pub use account::{Account, BusinessProfile};
pub use billing_portal::PortalSession;
pub use checkout::{CheckoutMode, CheckoutSession, CheckoutStatus, CustomerDetails, LineItem, PaymentStatus};
pub use coupon::Coupon;
pub use customer::Customer;
pub use event::{About, Event, EventRequest};
pub use invoice::{Invoice, InvoiceStatus, StatusTransitions, Tax};
pub use line::InvoiceLine;
pub use page::{List, Page, Unreadable};
pub use payment::{Charge, Dispute, InvoicePayment, PaidBy, PaymentIntent, Refund, refunded};
pub use price::{Price, Recurring};
pub use product::Product;
pub use reference::Ref;
pub use schedule::{SchedulePhase, SchedulePhaseItem, SubscriptionSchedule};
pub use subscription::{
    BillingMode, CancellationDetails, PauseCollection, Subscription, SubscriptionItem, SubscriptionStatus,
};

use std::collections::BTreeMap;

use serde::Deserialize;

/// Names and values that were kept with an object.
pub type Metadata = BTreeMap<String, String>;

/// A time from one second to another, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Period {
    /// Its first second.
    pub start: i64,
    /// The second after it.
    pub end: i64,
}
