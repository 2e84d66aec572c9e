//! Jobs as callers see them: accepted work, how far it is, and how it ended. A key sees only the jobs it started.

mod end;
mod tools;
mod types;

pub use end::record_end;
pub use tools::AREA;
pub use types::{Accepted, JobPreview, JobView};
