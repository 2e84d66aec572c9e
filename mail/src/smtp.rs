//! A mail server, spoken to by lettre's connection, one command at a time, so that it is known what a reply is about.

use std::{error::Error as _, fmt, net::IpAddr, time::Duration};

use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Noop, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use zeroize::Zeroizing;

use crate::{Composed, Failure, Stage};

/// How long a server may take to answer a command.
const COMMAND: Duration = Duration::from_secs(60);

/// How long it may take to say that it has taken a message: as long as RFC 5321 (4.5.3.2.6) has a client wait, as who
/// gives up earlier sends it twice.
const MESSAGE: Duration = Duration::from_secs(600);

/// Connections that are kept open at most.
const IDLE: usize = 4;

/// How long a connection is kept that nobody uses.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Messages over one connection, since servers do not take any number.
const PER_CONNECTION: u32 = 100;

/// How a connection is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It begins in the open and must become secret before anything is said (port 587).
    StartTls,
    /// It is secret from its beginning (port 465).
    Tls,
    /// Not at all. Only to this very machine.
    Plain,
}

/// A mail server.
#[derive(Clone)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: Security,
    /// The user and the password, if it wants to know who sends.
    pub login: Option<(String, Zeroizing<String>)>,
    /// Certificates (PEM) that are believed beside the machine's.
    pub extra_roots: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Why a server is not spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ServerRefused {
    /// The password and the mail would go over the network for everybody to read.
    #[error("{0} is another machine, and to speak to it without TLS everybody on the way could read along")]
    Open(String),
    /// The machine's certificates, or the extra ones, cannot be read.
    #[error("the certificates cannot be read: {0}")]
    Certificates(#[source] Error),
}

/// A server and the connections to it that are open.
pub(crate) struct Smtp {
    server: Server,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    idle: std::sync::Arc<Mutex<Vec<Open>>>,
}

struct Open {
    connection: AsyncSmtpConnection,
    n_messages: u32,
    since: Instant,
}

/// A connection over which the server waits for a message.
pub(crate) struct Taken {
    open: Open,
    idle: std::sync::Arc<Mutex<Vec<Open>>>,
}

impl Smtp {
    pub(crate) fn new(server: Server) -> Result<Self, ServerRefused> {
        let tls = match server.security {
            Security::Plain if !is_loopback(&server.host) => return Err(ServerRefused::Open(server.host)),
            Security::Plain => None,
            Security::StartTls | Security::Tls => {
                let mut builder = TlsParameters::builder(server.host.clone());
                if let Some(pem) = &server.extra_roots {
                    let root = Certificate::from_pem(pem.as_bytes()).map_err(ServerRefused::Certificates)?;
                    builder = builder.add_root_certificate(root);
                }
                Some(builder.build_rustls().map_err(ServerRefused::Certificates)?)
            }
        };
        let credentials =
            server.login.as_ref().map(|(user, password)| Credentials::new(user.clone(), password.to_string()));
        Ok(Self { server, tls, credentials, idle: std::sync::Arc::default() })
    }

    pub(crate) async fn check(&self) -> Result<String, Failure> {
        let open = self.connect().await?;
        let name = open.connection.server_info().name().to_owned();
        self.idle.lock().await.push(open);
        Ok(name)
    }

    pub(crate) async fn offer(&self, message: &Composed) -> Result<Taken, Failure> {
        let mut open = match self.reuse().await {
            Some(open) => open,
            None => self.connect().await?,
        };
        match begin(&mut open.connection, &message.envelope, message.bytes.is_ascii()).await {
            Ok(()) => Ok(Taken { open, idle: self.idle.clone() }),
            Err(failure) => {
                _ = timeout(COMMAND, open.connection.abort()).await;
                Err(failure)
            }
        }
    }

    /// A connection that was left open and still answers.
    async fn reuse(&self) -> Option<Open> {
        loop {
            let mut open = self.idle.lock().await.pop()?;
            if open.since.elapsed() < IDLE_FOR
                && open.n_messages < PER_CONNECTION
                && matches!(timeout(COMMAND, open.connection.command(Noop)).await, Ok(Ok(_)))
            {
                return Some(open);
            }
            drop(open);
        }
    }

    async fn connect(&self) -> Result<Open, Failure> {
        let hello = ClientId::default();
        let at_once = self.tls.clone().filter(|_| self.server.security == Security::Tls);
        let address = (self.server.host.as_str(), self.server.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(COMMAND), &hello, at_once, None);
        let mut connection = answered(Stage::Connect, COMMAND, connecting).await?;
        if let (Security::StartTls, Some(tls)) = (self.server.security, self.tls.clone()) {
            // Refuses a server that does not offer it, so that nobody in between can talk us out of it.
            answered(Stage::Connect, COMMAND, connection.starttls(tls, &hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            answered(Stage::Connect, COMMAND, connection.auth(&mechanisms, credentials)).await?;
        }
        Ok(Open { connection, n_messages: 0, since: Instant::now() })
    }
}

/// Says from whom a message is and to whom it goes, and waits for the word to send it.
async fn begin(connection: &mut AsyncSmtpConnection, envelope: &Envelope, is_ascii: bool) -> Result<(), Failure> {
    let mut options = Vec::new();
    let addresses = || envelope.from().into_iter().chain(envelope.to());
    if !addresses().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            // As the server would, had it been asked (RFC 6531, 3.5).
            let words = "5.6.7 The server takes no address with letters beyond ASCII";
            return Err(Failure::new(Stage::Recipient, Some(553), words));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !is_ascii {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let mail = Mail::new(envelope.from().cloned(), options);
    answered(Stage::Sender, COMMAND, connection.command(mail)).await?;
    for to in envelope.to() {
        let rcpt = Rcpt::new(to.clone(), vec![]);
        answered(Stage::Recipient, COMMAND, connection.command(rcpt)).await?;
    }
    Ok(())
}

impl Taken {
    pub(crate) async fn hand_over(mut self, bytes: &[u8]) -> Result<String, Failure> {
        let sent = async {
            // Before the server has said that it waits for the message, it cannot have taken it.
            let go = answered(Stage::Message, COMMAND, self.open.connection.command(Data)).await;
            go.map_err(|failure| Failure { is_in_doubt: false, ..failure })?;
            answered(Stage::Message, MESSAGE, self.open.connection.message(bytes)).await
        };
        match sent.await {
            Ok(response) => {
                let words: Vec<_> = response.message().collect();
                let reply = Failure::new(Stage::Message, None, &format!("{} {}", response.code(), words.join(" ")));
                self.keep().await;
                Ok(reply.reply)
            }
            Err(failure) => {
                _ = timeout(COMMAND, self.open.connection.abort()).await;
                Err(failure)
            }
        }
    }

    /// Leaves the connection for the next message.
    async fn keep(mut self) {
        self.open.n_messages += 1;
        self.open.since = Instant::now();
        let mut idle = self.idle.lock().await;
        if idle.len() < IDLE {
            idle.push(self.open);
        }
    }
}

/// Waits for an answer so long, and says what the lack of a good one means.
async fn answered<T>(
    stage: Stage,
    at_most: Duration,
    asking: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let failed = |error: Error| match error.status() {
        Some(code) => {
            let words = error.source().map(ToString::to_string).unwrap_or_default();
            Failure::new(stage, code.to_string().parse().ok(), &words)
        }
        None => Failure::new(stage, None, &error.to_string()),
    };
    match timeout(at_most, asking).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(Failure::new(stage, None, &format!("no answer within {} s", at_most.as_secs()))),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_open() {
        let server =
            |host: &str, security| Server { host: host.into(), port: 25, security, login: None, extra_roots: None };
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(Smtp::new(server(host, Security::Plain)).is_ok(), "{host}");
        }
        for host in ["mail.example.com", "10.0.0.1", "localhost.example.com", ""] {
            assert!(matches!(Smtp::new(server(host, Security::Plain)), Err(ServerRefused::Open(_))), "{host}");
        }
    }
}
