//! Every statement of the program is one that both databases take.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};
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

/// Where SQLite may read all that a table has of a site: few rows, or all of them are asked for.
const ALL_OF_A_SITE: &[(&str, &str)] = &[
    ("src/areas/access/store/facts.rs", "m"), // all members with access, at most so many
    ("src/areas/access/store/facts.rs", "member"),
    ("src/areas/access/store/facts.rs", "plan"), // what is on sale // counts members, at most so many
    ("src/areas/billing/status/store.rs", "c"),
    ("src/areas/billing/store.rs", "c"),
    ("src/areas/billing/store.rs", "a"), // the account of a site, one row
    ("src/areas/billing/store.rs", "stripe_connection"),
    ("src/areas/billing/store.rs", "stripe_dirty"), // forgets a connection
    ("src/areas/billing/store.rs", "stripe_secret"),
    ("src/areas/billing/sweep/store.rs", "k"),
    ("src/areas/billing/sweep/store.rs", "stripe_dirty"), // what waits to be read
    ("src/areas/billing/sweep/store.rs", "t"),            // subscriptions that are nobody's
    ("src/areas/blocklist/store.rs", "b"), // what an undo would do, counted apart: an index would slow imports down
    ("src/areas/blocklist/store.rs", "block_import"),
    ("src/areas/blocklist/store.rs", "c"), // forgets claims, at most so many
    ("src/areas/emails/store.rs", "mail_connection"),
    ("src/areas/keys/store.rs", "api_key"),
    ("src/areas/members/store/import.rs", "bundle"),
    ("src/areas/members/store/import.rs", "member_group"),
    ("src/areas/members/tally/store.rs", "member_tally"), // one row
    ("src/areas/notices/store.rs", "notice_source"),
    ("src/areas/sign_in/store.rs", "signing_key"),
    ("src/areas/uploads/store.rs", "upload"),
];

/// SQLite keeps no statistics by itself; `migrations/sqlite` says what is true of many rows. A new table wants its lines
/// there, else an index beside the primary key is not used.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_reads_all_of_a_site_where_an_index_leads_to_few_rows() {
    let world = World::start(Backend::Sqlite).await;
    let pool = world.app.db.sqlite_writer().expect("SQLite");
    let mut found = BTreeSet::new();
    for text in STATEMENTS {
        // Changing a site looks at whatever refers to it.
        if text.file == "src/areas/sites/store.rs" {
            continue;
        }
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.sqlite));
        let plan = sqlx::query(explain).fetch_all(pool).await.expect("a plan");
        for line in plan.iter().map(|row| row.get::<String, _>("detail")) {
            if let Some(table) =
                line.strip_prefix("SEARCH ").and_then(|rest| rest.strip_suffix(" USING PRIMARY KEY (site=?)"))
            {
                found.insert((text.file, table.to_owned()));
            }
        }
    }
    let allowed: BTreeSet<_> = ALL_OF_A_SITE.iter().map(|(file, table)| (*file, (*table).to_owned())).collect();
    assert_eq!(found, allowed);
    world.end().await;
}
