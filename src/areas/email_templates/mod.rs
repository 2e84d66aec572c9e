//! Templates of mails: a subject and what a mail says, with placeholders, under a name that programs can call.
//!
//! A template is checked when it is written, so that sending one fails for nothing but a missing value. What it declares in
//! `variables` are placeholders of its own; the call that sends it gives a value for each and for no others.

mod actions;
mod store;
mod tools;
mod types;

pub use actions::{find, own_values};
pub use tools::AREA;
pub use types::{Template, TemplateRef};
