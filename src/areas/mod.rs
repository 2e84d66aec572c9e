//! What Usher knows about, a folder each with the same files: `mod.rs` (what the area is and its rules), `tools.rs`
//! (the API), `types.rs`, `actions.rs` (the rules), `store.rs` (the SQL), `jobs.rs`.

pub mod access;
pub mod activity;
pub mod billing;
pub mod blocklist;
pub mod bundles;
pub mod comments;
pub mod email_templates;
pub mod emails;
pub mod groups;
mod guide;
pub mod installation;
pub mod invoices;
pub mod jobs;
pub mod keys;
pub mod members;
pub mod notices;
pub mod payments;
pub mod plans;
pub mod secret_key;
pub mod sign_in;
pub mod sites;
pub mod subscriptions;
pub mod tags;
pub mod tools;
pub mod unsubscribe;
pub mod uploads;
pub mod videos;

use crate::tools::Area;

/// The one list of areas with tools, in the order of the documentation.
pub const AREAS: &[Area] = &[
    members::AREA,
    tags::AREA,
    groups::AREA,
    blocklist::AREA,
    videos::AREA,
    bundles::AREA,
    comments::AREA,
    access::AREA,
    plans::AREA,
    invoices::AREA,
    payments::AREA,
    subscriptions::AREA,
    billing::AREA,
    emails::AREA,
    email_templates::AREA,
    jobs::AREA,
    keys::AREA,
    activity::AREA,
    tools::AREA,
];
