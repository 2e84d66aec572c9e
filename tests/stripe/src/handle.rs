//! A running fake.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, Notify, watch},
    task::JoinHandle,
};

use crate::{
    control::Control,
    server,
    world::{Config, World},
};

/// What the server, the deliveries and the handles share.
pub struct Inner {
    /// Everything there is.
    pub world: Mutex<World>,
    /// Something may have to be delivered.
    pub wake: Notify,
    /// Who delivers.
    pub delivering: AsyncMutex<()>,
    /// How often what is held was released.
    pub released: watch::Sender<u64>,
}

/// A running fake; it ends when this is dropped. What a test does to it is on [`Control`].
pub struct Fake {
    control: Control,
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Fake {
    /// Starts on a free port.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::start_on(0, config).await
    }

    /// Starts on a port of the loopback interface; 0 is a free one.
    pub async fn start_on(port: u16, config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(&config)),
            wake: Notify::new(),
            delivering: AsyncMutex::new(()),
            released: watch::Sender::new(0),
        });
        let control = Control::new(inner.clone());
        let deliveries = tokio::spawn({
            let control = control.clone();
            async move {
                loop {
                    inner.wake.notified().await;
                    control.settle().await;
                }
            }
        });
        let server = tokio::spawn(server::serve(listener, control.clone()));
        Ok(Self { control, address, tasks: [server, deliveries] })
    }

    /// Where it listens, such as `http://127.0.0.1:4242`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Deref for Fake {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
