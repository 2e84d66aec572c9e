//! Plans: what members can subscribe to. Price and period never change; who wants another archives the plan and makes a
//! new one, and whoever has subscribed keeps what was subscribed to.
//!
//! A plan that is made here is a product and a price at Stripe once the site may write there: by the job of the call
//! that makes it, else by the first checkout ([`make::ensure`]). Its id is the product's id and the price's lookup key,
//! so however often it is made there is one of each. Its name, its description and whether it can be bought follow what
//! is here ([`Push`]). Of a plan that was found at Stripe, name and description are the owner's there.

mod actions;
mod import;
mod make;
mod offer;
mod push;
pub mod store;
mod tools;
mod types;

pub use actions::{find, would_make};
pub use import::{Import, import, of_price};
pub use make::{OP, PLAN, ensure};
pub use push::{Push, push, push_all};
pub use tools::AREA;
pub use types::{Every, Opens, Plan, Pricing};
