//! `stripe-fake --port 0`: prints where it listens and runs until it is ended.

use std::io::{self, Write};

use clap::Parser;
use stripe_fake::{Config, Fake};

/// A Stripe to test against, on a loopback port.
#[derive(Parser)]
#[command(name = "stripe-fake")]
struct Arguments {
    /// The port; 0 is a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What ids, chances and orders come from.
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,
    /// The virtual time at the start, in seconds since 1970.
    #[arg(long, default_value_t = Config::default().now)]
    now: i64,
    /// The first account.
    #[arg(long, default_value_t = Config::default().account)]
    account: String,
    /// A key of it that may do everything.
    #[arg(long, default_value_t = Config::default().key)]
    key: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let Arguments { port, seed, now, account, key } = Arguments::parse();
    let fake = Fake::start_on(port, Config { seed, now, account, key }).await?;
    let mut out = io::stdout();
    writeln!(out, "{}", fake.url())?;
    out.flush()?;
    tokio::signal::ctrl_c().await
}
