//! The integration tests: one binary, through the front door, each on SQLite and on PostgreSQL.

#[macro_use]
mod harness;

mod activity;
mod gate;
mod jobs;
mod keys;
mod processes;
mod statements;
mod storm;
mod tools;
