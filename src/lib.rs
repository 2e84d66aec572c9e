//! Usher: a self-hosted back office for membership sites. See `ARCHITECTURE.md` for what is where and why.

pub mod app;
pub mod areas;
mod background;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data_folder;
pub mod error;
pub mod gate;
mod imports;
mod pace;
pub mod paging;
pub mod seal;
pub mod surfaces;
pub mod tools;
pub mod values;
pub mod worker;
