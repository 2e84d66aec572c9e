//! A backup is made while everybody writes, and has everything.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    time::{Duration, Instant},
};

use super::*;
use crate::storm::clients::make_members;

#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite_serves_the_old_key_the_uploads_and_the_stripe_key() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &[]).await;
    assert_eq!(fs::metadata(&file).expect("a file").mode() & 0o777, 0o600);
    let checked = shop.place.usher(&["restore", path(&file), "--check"]).await;
    assert!(checked.contains("is whole: the database, 2 files") && checked.contains("the secret key"), "{checked}");
    let restored = Installation::empty(Backend::Sqlite).await;
    let told = restored.usher(&["restore", path(&file)]).await;
    assert!(told.contains("Restored") && told.contains("usher serve"), "{told}");
    assert_eq!(fs::metadata(restored.folder.path().join("secret.key")).expect("a key").mode() & 0o777, 0o600);
    shop.is_served_by(&restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_postgres_has_the_files_and_the_key_and_names_pg_dump() {
    let shop = Shop::open(Backend::Postgres).await;
    let file = shop.file("usher.zip");
    let told = shop.place.usher(&["backup", path(&file)]).await;
    assert!(told.contains("pg_dump --format=custom --no-owner --file=usher.dump \"$DATABASE_URL\""), "{told}");
    assert!(told.contains("pg_restore --no-owner --dbname=\"$DATABASE_URL\" usher.dump"), "{told}");
    // The database stays; the machine with the folder is lost.
    let folder = tempfile::tempdir().expect("a folder");
    let restored = Installation { backend: Backend::Postgres, folder, database: shop.place.database.clone() };
    refused(&restored.ends(&["serve"], &[]).await, "the secret key is missing");
    restored.usher(&["restore", path(&file)]).await;
    shop.is_served_by(&restored).await;
    let sqlite = Installation::empty(Backend::Sqlite).await;
    refused(&sqlite.ends(&["restore", path(&file)], &[]).await, "was made on PostgreSQL");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_it_ends_and_is_one_moment() {
    let (place, key) = Installation::new(Backend::Sqlite).await;
    place.without_budgets().await;
    let mut server = place.serve(&[]).await;
    // Some pages, so that a copy takes its time.
    place
        .rows::<1>(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO member (site, id, email, email_key, name_key, note, status, created_at, updated_at)
             SELECT 1, 'mem_' || printf('%027d', i), i || '@old.example', i || '@old.example', '',
                    hex(randomblob(150)), 'free', 0, 0 FROM n RETURNING '1'",
        )
        .await;
    let writers: Vec<_> = (0..3).map(|n| tokio::spawn(make_members(server.client(&key), n, format!("w{n}")))).collect();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut n_members = Vec::new();
    for n in 0..3 {
        let file = elsewhere.path().join(format!("{n}.zip"));
        let (before, began) = (count(&place, N_MEMBERS).await, Instant::now());
        place.usher(&["backup", path(&file)]).await;
        assert!(began.elapsed() < Duration::from_secs(25), "it took {:?}", began.elapsed());
        let restored = Installation::empty(Backend::Sqlite).await;
        restored.usher(&["restore", path(&file)]).await;
        let found = count(&restored, N_MEMBERS).await;
        assert!((before..=count(&place, N_MEMBERS).await).contains(&found), "{found}");
        // A member and the row of the call that made it are one transaction.
        let calls = "SELECT CAST(count(*) AS TEXT) FROM activity WHERE tool = 'members.create' AND status = 'ok' AND NOT replayed";
        assert_eq!(count(&restored, calls).await, found - 60_000);
        n_members.push(found);
    }
    assert!(n_members.is_sorted() && n_members[0] < n_members[2], "nobody wrote: {n_members:?}");
    server.kill();
    for writer in writers {
        writer.await.expect("it does not panic");
    }
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 3, "something was left over");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_it_says_what_is_missing() {
    let shop = Shop::open(Backend::Sqlite).await;
    let file = shop.backup("usher.zip", &["--without-key"]).await;
    let restored = Installation::empty(Backend::Sqlite).await;
    let told = restored.usher(&["restore", path(&file)]).await;
    assert!(told.contains("Before you start: the secret key is missing") && told.contains("the Stripe key"), "{told}");
    refused(&restored.ends(&["serve"], &[]).await, "the secret key is missing");
    let key = "secret.key";
    fs::copy(shop.place.folder.path().join(key), restored.folder.path().join(key)).expect("a copy");
    shop.is_served_by(&restored).await;

    // With the key there before, too.
    let restored = Installation::empty(Backend::Sqlite).await;
    fs::copy(shop.place.folder.path().join(key), restored.folder.path().join(key)).expect("a copy");
    let told = restored.usher(&["restore", path(&file)]).await;
    assert!(!told.contains("Before you start"), "{told}");
    shop.is_served_by(&restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_a_setting_is_in_the_backup() {
    const VARIABLE: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let (place, key) = Installation::new(Backend::Sqlite).await;
    let settings = [("USHER_SECRET_KEY", VARIABLE)];
    place.serve(&settings).await;
    let file = place.folder.path().join("usher.zip");
    assert!(place.ends(&["backup", path(&file)], &settings).await.status.success());
    let restored = Installation::empty(Backend::Sqlite).await;
    restored.usher(&["restore", path(&file)]).await;
    assert_eq!(fs::read_to_string(restored.folder.path().join("secret.key")).expect("a key").trim(), VARIABLE);
    let server = restored.serve(&[]).await;
    server.client(&key).call("keys.whoami", json!({})).await.result();
}

/// A database of an older Usher: the first eleven migrations.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_one_is_migrated() {
    let old = Installation::empty(Backend::Sqlite).await;
    let all = sqlx::migrate!("migrations/sqlite");
    let some = usher_db::Migrator::with_migrations(all.iter().filter(|one| one.version <= 11).cloned().collect());
    let options = usher_db::Options::Sqlite {
        path: old.folder.path().join("usher.db"),
        synchronous: usher_db::Synchronous::Full,
        readers: 1,
    };
    let db = usher_db::Db::open(&options).await.expect("it opens");
    usher_db::migrate(&db, &some, &some).await.expect("it migrates");
    db.close().await;
    drop(db);
    old.rows::<1>("INSERT INTO site VALUES (1, 'Old', NULL, 1, '{}', 1, 0) RETURNING name").await;
    let file = old.folder.path().join("usher.zip");
    old.usher(&["backup", path(&file)]).await;
    let restored = Installation::empty(Backend::Sqlite).await;
    restored.usher(&["restore", path(&file)]).await;
    assert!(restored.usher(&["sites", "list"]).await.contains("Old"));
    restored.serve(&[]).await;
}
