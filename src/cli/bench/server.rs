//! The servers that are measured: child processes of this program.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{Failure, Result, stage::Place};

/// A server, for as long as this lives.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

/// Who runs the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// Whoever does so unless it is set.
    Auto,
    /// The server.
    On,
}

impl Server {
    /// Starts `usher serve` on a database that is set up.
    pub(super) async fn start(place: &Place, workers: Workers) -> Result<Self> {
        let mut command = program(&place.folder)?;
        command.args(["--json", "serve"]).envs([
            ("USHER_LISTEN", "127.0.0.1:0"),
            ("USHER_LOG", "warn"),
            ("USHER_WORKERS", if workers == Workers::On { "on" } else { "auto" }),
            ("DATABASE_URL", place.url()),
        ]);
        command.env("USHER_DATA", &place.folder);
        Self::spawn(command, place.folder.join("server.log")).await
    }

    /// Starts the server that says "hello" and does nothing else.
    pub(super) async fn hello(folder: &Path) -> Result<Self> {
        let mut command = program(folder)?;
        command.arg("bench-hello");
        Self::spawn(command, folder.join("hello.log")).await
    }

    async fn spawn(mut command: Command, log: PathBuf) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut server = Self { child: command.spawn()?, address: ([0, 0, 0, 0], 0).into() };
        let stdout = server.child.stdout.take().expect("a pipe was asked for");
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = line.await??;
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = said["address"].as_str().and_then(|url| url.strip_prefix("http://")?.parse().ok());
        server.address = address.ok_or_else(|| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            Failure(format!("the server did not start: {}", log.lines().last().unwrap_or("it says nothing")))
        })?;
        Ok(server)
    }

    /// The most memory that it has had, in MiB.
    pub(super) fn peak_mib(&self) -> Option<f64> {
        self.memory_mib("VmHWM:")
    }

    /// The memory that it has now, in MiB.
    pub(super) fn memory_now_mib(&self) -> Option<f64> {
        self.memory_mib("VmRSS:")
    }

    fn memory_mib(&self, field: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
    }

    /// The processor time that it has used, to the hundredth of a second.
    pub(super) fn cpu(&self) -> Option<Duration> {
        const TICKS_PER_SECOND: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name, in brackets, may have spaces; user and system time are the 12th and 13th field after it.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// This program, with nothing of this process's environment, where no `usher.toml` is.
fn program(folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env_clear().current_dir(folder);
    Ok(command)
}
