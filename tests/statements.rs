//! Every statement of the program is one that both databases take.

use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
use usher_db::STATEMENTS;

use crate::harness::{Backend, World};

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_sqlite() {
    let world = World::start(Backend::Sqlite).await;
    let pool = world.app.db.sqlite_writer().expect("SQLite");
    for text in STATEMENTS {
        let prepared = pool.prepare(AssertSqlSafe(text.sqlite.to_owned()).into_sql_str()).await;
        prepared.unwrap_or_else(|error| panic!("{}:{}: {error}", text.file, text.line));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_postgres() {
    let world = World::start(Backend::Postgres).await;
    let pool = world.app.db.postgres().expect("PostgreSQL");
    for text in STATEMENTS {
        let prepared = pool.prepare(AssertSqlSafe(text.postgres.to_owned()).into_sql_str()).await;
        prepared.unwrap_or_else(|error| panic!("{}:{}: {error}", text.file, text.line));
    }
    world.end().await;
}
