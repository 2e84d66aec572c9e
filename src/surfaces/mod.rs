//! How calls come in. A surface turns what it gets into a [`Call`](crate::gate::Call) and the answer into what its
//! clients read; it decides nothing.

pub mod http;
