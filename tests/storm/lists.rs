//! Block lists to import: new addresses, some twice, some in every list, and rows that are none.

use std::{collections::BTreeSet, fmt::Write as _};

use super::clients::Client;

/// Addresses that are in this list only. With their notes they take two runs of an import.
const OWN: usize = 24_000;

/// Addresses that are in every list.
const SHARED: usize = 500;

/// Rows from one that says an address again to the next.
const AGAIN: usize = 97;

/// Rows from one that is no address to the next.
const BAD: usize = 211;

/// A list that was uploaded.
#[derive(Clone)]
pub struct List {
    pub number: usize,
    pub upload: String,
    pub n_rows: usize,
    pub addresses: BTreeSet<String>,
    pub bad: BTreeSet<String>,
}

impl List {
    /// Writes the list of this number and uploads it. Every other list has stronger reasons.
    pub async fn upload(number: usize, client: &Client) -> Self {
        let reason = ["unsubscribe", "complaint"][number % 2];
        let note = "Said so. ".repeat(62);
        let (mut file, mut n_rows) = (String::from("email,reason,note\n"), 0);
        let (mut addresses, mut bad) = (BTreeSet::new(), BTreeSet::new());
        let mut row = |first: &str| {
            writeln!(file, "{first},{reason},{note}").expect("memory takes text");
            n_rows += 1;
        };
        for n in 0..OWN {
            let address = format!("{}-{number}@block.example", scattered(n));
            row(&address);
            addresses.insert(address);
            if n % AGAIN == 0 {
                row(&format!("{}-{number}@block.example", scattered(n / 2)));
            }
            if n % BAD == 0 {
                let none = format!("none {number}/{n}");
                row(&none);
                bad.insert(none);
            }
        }
        for n in 0..SHARED {
            let address = format!("shared-{n}@block.example");
            row(&address);
            addresses.insert(address);
        }
        let upload = client.upload(file).await;
        Self { number, upload, n_rows, addresses, bad }
    }
}

/// A number of its own for each, in no order.
fn scattered(n: usize) -> usize {
    n * 7919 % 1_000_003
}
