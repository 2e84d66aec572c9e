//! A backup of SQLite goes into an empty PostgreSQL, which is how an installation grows.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use usher::backup::BESIDES;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_and_goes_on() {
    let shop = Shop::open(Backend::Sqlite).await;
    let server = shop.place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&shop.key);
    // Work that waits is done over there.
    let upload = client.upload("email\nwaiting@shop.example\n".into()).await;
    let job = client.call("blocklist.import", json!({ "upload": upload })).await.result()["job"]["id"].clone();
    let file = shop.backup("usher.zip", &[]).await;
    drop(server);
    let restored = Installation::empty(Backend::Postgres).await;
    let told = restored.usher(&["restore", path(&file)]).await;
    assert!(told.contains("rows into PostgreSQL, and counted them there"), "{told}");
    for statement in [
        N_MEMBERS,
        "SELECT CAST(count(*) AS TEXT) FROM member_tag WHERE tag = 'vip'",
        "SELECT CAST(count(*) AS TEXT) FROM activity",
        "SELECT CAST(count(*) AS TEXT) FROM job WHERE site <> 0",
        "SELECT id || email || name || created_at FROM member ORDER BY id LIMIT 1",
        "SELECT name || value FROM setting WHERE name <> 'restored_from' ORDER BY name LIMIT 1",
    ] {
        assert_eq!(shop.place.rows::<1>(statement).await, restored.rows::<1>(statement).await, "{statement}");
    }
    assert!(!restored.folder.path().join("usher.db").exists());
    let _worker = restored.work();
    restored.jobs_are_over().await;
    let done = restored.rows::<1>("SELECT state FROM job WHERE kind = 'blocklist.import'").await;
    assert_eq!(done, [["succeeded"]], "{job}");
    shop.is_served_by(&restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_anything_in_it_is_refused_and_stays() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    let (taken, key) = Installation::new(Backend::Postgres).await;
    refused(&taken.ends(&["restore", path(&file)], &[]).await, "is not empty: table ");
    // It goes on as if nothing had been.
    taken.serve(&[]).await.client(&key).call("keys.whoami", json!({})).await.result();

    let others = Installation::empty(Backend::Postgres).await;
    others.rows::<1>("CREATE TABLE blog (post text)").await;
    refused(&others.ends(&["restore", path(&file)], &[]).await, "has tables that are not Usher's");
    let tables = others.rows::<1>("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await;
    assert_eq!(tables, [["blog"]]);

    // One that was migrated and has nothing yet is empty.
    let empty = Installation::empty(Backend::Postgres).await;
    empty.usher(&["migrate"]).await;
    empty.usher(&["restore", path(&file)]).await;
    shop.is_served_by(&empty).await;
}

/// The tables come from the schemas: a new one is moved without anybody having thought of it.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_both_schemas_is_moved() {
    let [sqlite, postgres] = [Backend::Sqlite, Backend::Postgres].map(Installation::empty);
    let (sqlite, postgres) = (sqlite.await, postgres.await);
    sqlite.usher(&["migrate"]).await;
    postgres.usher(&["migrate"]).await;
    let url = postgres.database.clone().expect("a URL");
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    let file = sqlite.folder.path().join("usher.db");
    let moved = usher_db::tables(&file, &mut connection, BESIDES).await.expect("the schemas match");
    let names: BTreeSet<_> = moved.iter().map(|table| table.name.clone()).collect();
    let all = connection.fetch_all("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await;
    let all: BTreeSet<String> = all.expect("rows").iter().map(|row| row.get(0)).collect();
    let left: Vec<_> = all.difference(&names).map(String::as_str).collect();
    assert_eq!(left, BESIDES.postgres);
    let all = sqlite
        .rows::<1>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'");
    let all: BTreeSet<_> = all.await.concat().into_iter().collect();
    let left: BTreeSet<_> = all.difference(&names).map(String::as_str).collect();
    assert_eq!(left, BESIDES.sqlite.iter().copied().collect());

    // One that only one of them has is told, and so is a column.
    for (change, says) in [
        ("CREATE TABLE extra (a bigint)", "SQLite has no table extra"),
        ("ALTER TABLE member ADD COLUMN extra text", "table member does not have the same columns"),
        ("ALTER TABLE comment RENAME TO remark", "SQLite has no table remark"),
    ] {
        let mut tx = connection.begin().await.expect("a transaction");
        tx.execute(AssertSqlSafe(change)).await.expect("it runs");
        let error = usher_db::tables(&file, &mut tx, BESIDES).await.expect_err("they differ");
        assert!(error.to_string().contains(says), "{error}");
        tx.rollback().await.expect("as it was");
    }
}
