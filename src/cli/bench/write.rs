//! A writing tool, durable before its answer, against the same inserts with one transaction each and no server.

use std::{sync::Arc, time::Instant};

use sqlx::{PgPool, SqlitePool};
use tokio::task::JoinSet;
use usher_db::Db;

use super::{
    Bench, Failure, Result,
    load::{NUMBER, Times},
    name,
    report::{Row, of_rounds},
    say, scene,
    server::{Server, Workers},
    subject::Subject,
};
use crate::{
    clock::Clock,
    values::{MemberId, RequestId, SiteId},
};

/// Different requests, each for another key.
const REQUESTS: usize = 1000;

/// Members that are there before.
const MEMBERS: u64 = 10_000;

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in bench.engines() {
        say(&format!("write: setting up {}", name(engine)));
        let place = bench.stage.place(engine).await?;
        let scene = scene::set(&place, bench.command.keys, MEMBERS).await?;
        let requests = scene.calls("members.create", REQUESTS, |_| {
            format!(
                "{{\"email\":\"Bench{NUMBER}@example.com\",\"name\":\"Anna Lind\",\"tags\":[\"vip\",\"early-bird\"]}}"
            )
        });
        let mut subject = Subject::new(Server::start(&place, Workers::Auto).await?, requests);
        let alone = Alone::new(place.db().await?).await?;
        subject.warm(bench).await?;
        let mut rounds = Vec::new();
        for round in 1..=bench.command.rounds {
            say(&format!("write: {}, round {round} of {}", name(engine), bench.command.rounds));
            rounds.push(alone.round(bench).await?);
            subject.round(bench).await?;
        }
        rows.push(Row::compared("write: members.create", name(engine), of_rounds(&rounds), subject.figure()));
        alone.db.close().await;
        drop(subject);
        bench.stage.leave(place).await;
    }
    Ok(rows)
}

/// The same inserts for another site of the same database.
struct Alone {
    db: Db,
    clock: Clock,
    site: SiteId,
}

/// A member with two tags and a row of the log, as the server writes them.
struct New {
    site: i64,
    member: MemberId,
    request: RequestId,
    email: String,
    at: i64,
    changes: String,
}

const ARGS: &str = r#"{"email":"Bench0000000001@example.com","name":"Anna Lind","tags":["vip","early-bird"]}"#;

/// The inserts, on a transaction of either database. sqlx has no type for both.
macro_rules! insert {
    ($tx:expr, $new:expr) => {{
        let new: &New = $new;
        sqlx::query(
            "INSERT INTO member (site, id, email, email_key, name, name_key, note, status, created_at, updated_at)
             VALUES ($1, $2, $3, $4, 'Anna Lind', 'anna lind', NULL, 'free', $5, $6)",
        )
        .bind(new.site)
        .bind(new.member.as_str())
        .bind(&new.email)
        .bind(new.email.to_lowercase())
        .bind(new.at)
        .bind(new.at)
        .execute(&mut *$tx)
        .await?;
        sqlx::query("INSERT INTO member_tag (site, member_id, tag) VALUES ($1, $2, 'vip'), ($3, $4, 'early-bird')")
            .bind(new.site)
            .bind(new.member.as_str())
            .bind(new.site)
            .bind(new.member.as_str())
            .execute(&mut *$tx)
            .await?;
        sqlx::query(
            "INSERT INTO activity (site, id, at, actor, key_id, surface, tool, args, status, duration_us, member_id,
                                   changes, dry_run, replayed, count)
             VALUES ($1, $2, $3, 'key', 'key_01kan8v3t0e0rt8nfkzk1s7p4qa', 'http', 'members.create', $4, 'ok', 1500, $5,
                     $6, FALSE, FALSE, 1)",
        )
        .bind(new.site)
        .bind(new.request.as_str())
        .bind(new.at)
        .bind(ARGS)
        .bind(new.member.as_str())
        .bind(&new.changes)
        .execute(&mut *$tx)
        .await?;
        $tx.commit().await?;
    }};
}

async fn sqlite(pool: &SqlitePool, new: &New) -> sqlx::Result<()> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    insert!(tx, new);
    Ok(())
}

async fn postgres(pool: &PgPool, new: &New) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    insert!(tx, new);
    Ok(())
}

impl Alone {
    async fn new(db: Db) -> Result<Self> {
        let clock = Clock::system();
        let site = scene::site(&db, &clock).await?.id;
        Ok(Self { db, clock, site })
    }

    /// As many at once as the server has connections, through sqlx' own pool with the settings that a server has.
    async fn round(&self, bench: &Bench) -> Result<Times> {
        let mut tasks = JoinSet::new();
        let (begun, time) = (Instant::now(), bench.round());
        let this = Arc::new(Self { db: self.db.clone(), clock: self.clock.clone(), site: self.site });
        for _ in 0..bench.command.connections {
            let this = this.clone();
            tasks.spawn(async move {
                let mut times = Vec::new();
                while begun.elapsed() < time {
                    let new = this.member();
                    let one = Instant::now();
                    match (this.db.sqlite_writer(), this.db.postgres()) {
                        (Some(pool), _) => sqlite(pool, &new).await?,
                        (_, Some(pool)) => postgres(pool, &new).await?,
                        _ => return Err(Failure("there is no database".into())),
                    }
                    times.push(u32::try_from(one.elapsed().as_micros()).unwrap_or(u32::MAX));
                }
                Ok(times)
            });
        }
        let mut all = Vec::new();
        while let Some(times) = tasks.join_next().await {
            all.extend(times??);
        }
        Ok(Times::new(all, begun.elapsed()))
    }

    fn member(&self) -> New {
        let (member, at): (MemberId, _) = (self.clock.id(), self.clock.now());
        let email = format!("{member}@example.com");
        let changes = format!(
            r#"[{{"kind":"member","id":"{member}","before":null,"after":{{"id":"{member}","email":"{email}","name":"Anna Lind","status":"free","tags":["early-bird","vip"],"createdAt":"{at}","updatedAt":"{at}"}}}}]"#
        );
        New { site: self.site.number(), member, request: self.clock.id(), email, at: at.micros(), changes }
    }
}
