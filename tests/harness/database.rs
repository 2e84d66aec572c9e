use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;
use usher_db::{Db, Options};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Where the tests' PostgreSQL is.
#[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
pub fn postgres_url() -> String {
    std::env::var("USHER_TEST_POSTGRES").expect(
        "USHER_TEST_POSTGRES is not set: run the tests as `bin/test suite`, or `bin/postgres run cargo test --workspace`",
    )
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Makes a migrated database and gives its URL. The server is the test run's own and is erased with it.
pub async fn create() -> String {
    let template = TEMPLATE.get_or_init(template).await;
    let name = format!("usher_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    admin(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    url_of(&name)
}

/// The migrations take longer than a copy, so they are applied once.
async fn template() -> String {
    let name = format!("usher_{}_template", std::process::id());
    admin(format!("CREATE DATABASE {name}")).await;
    let db = Db::open(&Options::Postgres { url: url_of(&name), connections: 2 }).await.expect("the template opens");
    usher::app::migrate(&db).await.expect("the migrations apply");
    db.close().await;
    name
}

async fn admin(statement: String) {
    let mut connection = PgConnection::connect(&postgres_url()).await.expect("PostgreSQL answers");
    connection.execute(AssertSqlSafe(statement)).await.expect("the statement runs");
    connection.close().await.expect("the connection closes");
}

fn url_of(name: &str) -> String {
    let url = postgres_url();
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}
