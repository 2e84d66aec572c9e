//! Bundles: content that is sold or given as a package. Who owns one is an entitlement, in `access`.
//!
//! Archiving takes a bundle out of the list and ends its sale. Nobody loses anything by it: who owns it keeps it, and
//! an order that was paid before is still granted.

mod actions;
pub mod store;
mod tools;
mod types;

pub use actions::find;
pub use tools::AREA;
pub use types::Bundle;
