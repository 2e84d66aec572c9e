use std::{path::PathBuf, sync::Arc};

use crate::{
    Composed, Failure, Server, ServerRefused, folder,
    smtp::{Smtp, Taken},
};

/// Where messages go. A clone shares its connections.
#[derive(Clone)]
pub struct Transport(Way);

#[derive(Clone)]
enum Way {
    Smtp(Arc<Smtp>),
    Folder(PathBuf),
}

/// A message that its server is ready to take.
#[must_use = "the message has not been handed over yet"]
pub struct Offered<'a> {
    message: &'a Composed,
    to: Ready,
}

enum Ready {
    Server(Box<Taken>),
    File(PathBuf),
}

impl Transport {
    /// A server. Nothing is connected yet.
    pub fn server(server: Server) -> Result<Self, ServerRefused> {
        Ok(Self(Way::Smtp(Arc::new(Smtp::new(server)?))))
    }

    /// A folder of `.eml` files.
    pub fn folder(folder: PathBuf) -> Self {
        Self(Way::Folder(folder))
    }

    /// Connects and signs in, and sends nothing. Gives what the server calls itself.
    pub async fn check(&self) -> Result<String, Failure> {
        match &self.0 {
            Way::Smtp(smtp) => smtp.check().await,
            Way::Folder(folder) => Ok(folder.display().to_string()),
        }
    }

    /// Goes as far as the server's word that it takes mail from this sender for this recipient. Nothing was sent before
    /// [`Offered::hand_over`].
    pub async fn offer<'a>(&self, message: &'a Composed) -> Result<Offered<'a>, Failure> {
        let to = match &self.0 {
            Way::Smtp(smtp) => Ready::Server(Box::new(smtp.offer(message).await?)),
            Way::Folder(folder) => Ready::File(folder::offer(folder, message).await?),
        };
        Ok(Offered { message, to })
    }
}

impl Offered<'_> {
    /// Sends the message, and gives the server's reply once it has taken it. If this future is dropped, nobody knows.
    pub async fn hand_over(self) -> Result<String, Failure> {
        match self.to {
            Ready::Server(taken) => taken.hand_over(&self.message.bytes).await,
            Ready::File(file) => folder::hand_over(&file, &self.message.bytes).await,
        }
    }
}
