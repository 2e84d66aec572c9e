//! The crate from outside: bytes on a socket, answers of many API versions, signatures computed elsewhere.

mod bytes;
mod pages;
mod server;
mod transport;
mod views;
mod webhooks;
