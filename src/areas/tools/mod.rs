//! The tools about tools: what there is and how to call it.

mod tools;

pub use tools::AREA;
