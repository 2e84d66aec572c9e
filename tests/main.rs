//! The integration tests: one binary, through the front door, each on SQLite and on PostgreSQL.

#[macro_use]
mod harness;

mod access;
mod activity;
mod addresses;
mod backup;
mod billing;
mod blocklist;
mod bundles;
mod comments;
mod gate;
mod groups;
mod imports;
mod jobs;
mod keys;
mod mail;
mod members;
mod metadata;
mod moments;
mod names;
mod notices;
mod processes;
mod sign_in;
mod statements;
mod storm;
mod tags;
mod tools;
mod unsubscribe;
mod uploads;
mod videos;
