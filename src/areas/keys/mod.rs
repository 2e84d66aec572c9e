//! API keys: who may call what. A key is locked to one site, its secret is shown once and kept only as a hash, and a
//! new one can do nothing. Each change raises the site's revision, so that it counts from the very next call on every
//! node.

pub mod actions;
mod secret;
pub mod store;
mod tools;
mod types;

pub use secret::{Hash, Presented, parse, random_secret};
pub use tools::AREA;
pub use types::Key;
