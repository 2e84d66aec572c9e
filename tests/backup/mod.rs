//! `usher backup` and `usher restore`: what counts is that the restored folder serves the old key, the uploads, and the
//! sealed Stripe key.

mod interrupted;
mod moved;
mod refused;
mod whole;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stripe_fake::{Config, Fake};
use usher::clock::Clock;

use crate::{
    harness::Backend,
    storm::server::{Ended, Installation, text},
};

/// Members of a shop.
const MEMBERS: usize = 300;

/// An Usher with everything that a backup must keep.
struct Shop {
    place: Installation,
    key: String,
    /// Of its Stripe account.
    _fake: Fake,
    /// A file that was uploaded, and is in no database.
    upload: String,
    /// Where backups go.
    elsewhere: tempfile::TempDir,
}

impl Shop {
    async fn open(backend: Backend) -> Self {
        let (place, key) = Installation::new(backend).await;
        place.without_budgets().await;
        let now = Clock::system().now().micros() / 1_000_000;
        let fake = Fake::start(Config { now, ..Config::default() }).await.expect("a free port");
        let connect = ["stripe", "connect", "--base", &fake.url()];
        let told = place.told(&connect, &[], &Config::default().key).await;
        assert!(told.status.success(), "{told:?}");
        let server = place.serve(&[("USHER_WORKERS", "on")]).await;
        let client = server.client(&key);
        let people: String = (0..MEMBERS).map(|n| format!("{n}@shop.example,\"Ann \\\\ {n} é\",vip\n")).collect();
        let people = client.upload(format!("email,name,tags\n{people}")).await;
        let args = json!({ "upload": people });
        let done = client.call_with("members.import", args, &[("prefer", "wait=30")]).await.result();
        assert_eq!(done["job"]["result"]["created"], MEMBERS, "{done}");
        let upload = client.upload("email\nblocked@shop.example\n".into()).await;
        Self { place, key, _fake: fake, upload, elsewhere: tempfile::tempdir().expect("a folder") }
    }

    /// The name of a backup.
    fn file(&self, name: &str) -> PathBuf {
        self.elsewhere.path().join(name)
    }

    /// Makes a backup.
    async fn backup(&self, name: &str, more: &[&str]) -> PathBuf {
        let file = self.file(name);
        self.place.usher(&[&["backup", path(&file)], more].concat()).await;
        file
    }

    /// Whether what was restored is this shop: the old key, members, the upload, and the Stripe key.
    async fn is_served_by(&self, restored: &Installation) {
        let server = restored.serve(&[("USHER_WORKERS", "on")]).await;
        let client = server.client(&self.key);
        let found = client.call("members.findByEmail", json!({ "email": "7@shop.example" })).await.result();
        assert!(found.to_string().contains(r"Ann \\\\ 7 é"), "{found}");
        let import = json!({ "upload": self.upload });
        let done = client.call_with("blocklist.import", import, &[("prefer", "wait=30")]).await.result();
        assert_eq!(
            (&done["job"]["status"], &done["job"]["result"]["added"]),
            (&json!("succeeded"), &json!(1)),
            "{done}"
        );
        let checked = restored.ends(&["stripe", "check"], &[]).await;
        assert!(checked.status.success() && checked.out.contains("acct_fake"), "{checked:?}");
        let member = json!({ "email": "new@shop.example" });
        client.call("members.create", member).await.result();
        let sites = restored.usher(&["--json", "sites", "create", "Second"]).await;
        assert_eq!(serde_json::from_str::<Value>(&sites).expect("JSON")["site"], 2, "{sites}");
    }
}

fn path(file: &Path) -> &str {
    file.to_str().expect("a name in UTF-8")
}

/// How many rows of a table there are.
async fn count(place: &Installation, statement: &'static str) -> usize {
    text(&json!(place.rows::<1>(statement).await[0][0])).parse().expect("a number")
}

const N_MEMBERS: &str = "SELECT CAST(count(*) AS TEXT) FROM member";

/// A command that said why it did nothing, in one line.
#[track_caller]
fn refused(ended: &Ended, what: &str) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.err.lines().count() == 1 && ended.err.contains(what), "{what:?} is not in {ended:?}");
}
