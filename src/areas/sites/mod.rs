//! Sites: who is hosted here, under which name, and with which settings.

pub mod store;
mod types;

pub use types::{Settings, Site, host_name};
