//! A value goes to the placeholder of its number, wherever that stands in the text and whichever way it runs.

use usher_db::{Db, Options, Synchronous, sql};

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_are_numbers_and_not_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let options = Options::Sqlite { path, synchronous: Synchronous::Full, readers: 2 };
    let db = Db::open(&options).await.expect("it opens");

    let mut tx = db.begin().await.expect("a transaction");
    sql!("CREATE TABLE pair (a TEXT, b TEXT)").run(tx.conn()).await.expect("a table");
    tx.commit().await.expect("a commit");
    let swapped = || sql!("INSERT INTO pair (b, a) VALUES ($2, $1)").bind("first").bind("second");
    db.append(vec![swapped()]).await.expect("an append");
    let mut tx = db.begin().await.expect("a transaction");
    swapped().run(tx.conn()).await.expect("an insert");
    tx.commit().await.expect("a commit");

    let read = || sql!("SELECT a, b FROM pair WHERE b = $2 AND a = $1 AND $2 <> $1").bind("first").bind("second");
    let expected = vec![("first".to_owned(), "second".to_owned()); 2];
    let glanced: Vec<(String, String)> = read().all(db.read()).await.expect("rows");
    let mut tx = db.begin().await.expect("a transaction");
    let in_transaction: Vec<(String, String)> = read().all(tx.conn()).await.expect("rows");
    assert_eq!((&glanced, &in_transaction), (&expected, &expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_read_goes_on_where_it_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let db = Db::open(&Options::Sqlite { path, synchronous: Synchronous::Normal, readers: 2 }).await.expect("it opens");
    let (count,): (i64,) = sql!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n"
    )
    .one(db.read())
    .await
    .expect("the read ends");
    assert_eq!(count, 300_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_every_kind_take_turns() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let db = Db::open(&Options::Sqlite { path, synchronous: Synchronous::Normal, readers: 2 }).await.expect("it opens");
    let mut tx = db.begin().await.expect("a transaction");
    sql!("CREATE TABLE one (a BIGINT)").run(tx.conn()).await.expect("a table");
    tx.commit().await.expect("a commit");
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60i64 {
        let db = db.clone();
        tasks.spawn(async move {
            let insert = || sql!("INSERT INTO one (a) VALUES ($1)").bind(n);
            match n % 3 {
                0 => db.append(vec![insert()]).await.expect("an append"),
                kind => {
                    let mut tx = db.begin().await.expect("a transaction");
                    insert().run(tx.conn()).await.expect("an insert");
                    // A transaction that is given up takes nobody else's writes with it.
                    if kind == 1 { tx.commit().await.expect("a commit") } else { drop(tx) }
                }
            }
        });
    }
    tasks.join_all().await;
    let (count,): (i64,) = sql!("SELECT count(*) FROM one").one(db.read()).await.expect("a count");
    assert_eq!(count, 40);
}
