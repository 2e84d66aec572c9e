//! A mail server that others wrote, scripted by recipients: `server.py` says how.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use usher::areas::emails::{
    connection::{Connection, Way, dkim_purpose, password_purpose},
    store,
};

use crate::harness::{PATIENCE, World, python};

pub const USER: &str = "usher";
pub const PASSWORD: &str = "hunter2";

pub struct Server {
    pub port: u16,
    folder: TempDir,
    process: Child,
}

impl Server {
    pub async fn start(security: &str, with_login: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/server.py");
        let mut command = Command::new(python());
        command.arg(program).arg(folder.path()).args(["--security", security]);
        if with_login {
            command.args(["--login", &format!("{USER}:{PASSWORD}")]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let port = tokio::task::spawn_blocking(|| output.lines().next());
        let port = tokio::time::timeout(PATIENCE, port).await.expect("it starts in time").expect("a task");
        let port = port.expect("a line").expect("its output").parse().expect("a port");
        Self { port, folder, process }
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    }

    /// The certificate to believe.
    pub fn roots(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("ca.pem")).ok()
    }

    /// Publishes the record by which signatures are verified.
    pub fn publish(&self, name: &str, record: &str) {
        std::fs::write(self.folder.path().join("record"), format!("{name} {record}")).expect("it is written");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// A connection of the first site to a server on this machine.
pub fn to(world: &World, server: &Server, security: &str) -> Connection {
    let now = world.clock.now();
    let sealer = &world.app.sealer;
    Connection {
        transport: Way::Smtp,
        host: Some("localhost".into()),
        port: Some(server.port.into()),
        security: Some(security.into()),
        username: (security != "plain").then(|| USER.into()),
        password_sealed: (security != "plain").then(|| sealer.seal(&password_purpose(world.site.id), PASSWORD)),
        extra_roots: server.roots(),
        folder: None,
        from_name: "Söhne & Töchter".into(),
        from_address: "hello@site.example".into(),
        reply_to: Some("answers@site.example".into()),
        dkim_domain: None,
        dkim_selector: None,
        dkim_key_sealed: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// A connection of the first site to a folder.
pub fn into(world: &World, folder: PathBuf) -> Connection {
    let now = world.clock.now();
    Connection {
        transport: Way::Folder,
        host: None,
        port: None,
        security: None,
        username: None,
        password_sealed: None,
        extra_roots: None,
        folder: Some(folder.display().to_string()),
        from_name: "First".into(),
        from_address: "hello@site.example".into(),
        reply_to: None,
        dkim_domain: None,
        dkim_selector: None,
        dkim_key_sealed: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Signs what the site sends.
pub fn sign(world: &World, connection: &mut Connection, key: &usher_mail::dkim::SigningKey) {
    let sealer = &world.app.sealer;
    connection.dkim_domain = Some("site.example".into());
    connection.dkim_selector = Some("usher1".into());
    connection.dkim_key_sealed = Some(sealer.seal(&dkim_purpose(world.site.id), &key.pem()));
}

/// Connects the first site, and lets it write to members.
pub async fn connect(world: &mut World, connection: &Connection) {
    let mut tx = world.app.db.begin().await.expect("a transaction");
    store::connect(tx.conn(), world.site.id, connection, world.clock.now()).await.expect("it is written");
    tx.commit().await.expect("a commit");
    let address = world.address.clone();
    world
        .settings(|settings| {
            settings.email_members = true;
            settings.public_url = Some(address);
        })
        .await;
}
