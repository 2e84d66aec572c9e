//! Plans: what members can subscribe to. Price and period never change; who wants another archives the plan and makes a
//! new one, and whoever has subscribed keeps what was subscribed to.

pub mod store;
mod types;

pub use types::{Every, Plan};
