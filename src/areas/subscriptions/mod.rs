//! Subscriptions: what members pay for, at Stripe or elsewhere.
//!
//! What is at Stripe is mirrored here by `billing`, which is the only one that writes it; nothing here is believed that
//! Stripe does not say. What is paid elsewhere is recorded by `subscriptions.recordExternal`.
//!
//! What is asked for is written here as a word (`asked`, `wanted`) and brought about at Stripe by a job (`bring`). A
//! cancel now is never taken back, nor forgotten: seen alive later, the subscription is cancelled again. Whoever writes
//! to a subscription holds its member first.

mod actions;
mod alarm;
mod bring;
mod change;
mod checkout;
mod end;
mod external;
mod jobs;
mod lapse;
mod link;
mod local;
mod plan_change;
mod portal;
mod resync;
pub mod store;
mod tools;
mod types;

pub use actions::{find, list};
pub use alarm::{alarm_of_two, paying};
pub use checkout::{Checkout, OpenCheckout, checkout, open_of};
pub use end::end_all;
pub use jobs::{Cancel, Pause, Resume, cancel, cancel_again, pause, resume, taken_back};
pub use lapse::lapse;
pub use plan_change::{ChangePlan, change_plan};
pub use portal::{PortalLink, portal_link};
pub use resync::{Resync, resync};
pub use tools::AREA;
pub use types::{PaidSpan, Subscription, SubscriptionItem, Wanted};
pub(super) use types::{goes_on, live_statuses, subscription_columns};
