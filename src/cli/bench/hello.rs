//! What the reads are compared with: the least that a server can do with the same HTTP library.

use poem::{
    Server, handler,
    listener::{Acceptor as _, Listener as _, TcpListener},
};
use serde_json::json;

use super::super::{Failure, Result, out};

#[handler]
fn hello() -> &'static str {
    "hello"
}

/// Serves until it is killed.
pub(in crate::cli) async fn serve() -> Result<()> {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let address = acceptor.local_addr();
    let address = address.first().and_then(|address| address.as_socket_addr());
    let address = address.ok_or_else(|| Failure("there is no address".into()))?;
    out(&json!({ "address": format!("http://{address}") }).to_string())?;
    Ok(Server::new_with_acceptor(acceptor).run(hello).await?)
}
