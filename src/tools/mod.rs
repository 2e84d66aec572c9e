//! What a tool is. A tool is defined once, as a struct of its arguments with one `impl Tool`; HTTP, OpenAPI, the
//! manifest, `tools.list`, the scope page and the tests over all tools read the same [`CATALOG`].

pub mod addresses;
pub mod catalog;
mod faults;
mod lengths;
pub mod manifest;
pub mod openapi;
pub mod schema;
pub mod scope;
mod suggest;
mod tool;

pub use catalog::{CATALOG, Catalog, ToolInfo};
pub use scope::{Risk, Scope, Scopes};
pub(crate) use tool::tools;
pub use tool::{Access, Area, Definition, Kind, Tool, Versioned};
