//! Somebody else's writes while a member with much watch data is deleted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use usher_db::Engine;

use super::{
    super::import::Client,
    Bench, Failure, Result, import,
    load::{Connection, NUMBER, Requests, Times},
    name,
    report::{Aim, Figure, Row},
    say, scene,
    server::{Server, Workers},
    stage::Place,
};
use crate::values::MemberId;

/// Members of the site.
const MEMBERS: u64 = 10_000;

/// Videos that the member has watched.
const WATCHED: u32 = 50_000;

/// Between two calls: somebody's shop, not a load.
const PAUSE: Duration = Duration::from_millis(2);

/// Calls after which the deletion is looked at.
const LOOK: usize = 20;

/// How long the calls are timed before each deletion.
const BEFORE: Duration = Duration::from_secs(2);

/// How long a deletion may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut report = Vec::new();
    for engine in bench.engines() {
        say(&format!("delete: {}", name(engine)));
        report.push(beside(bench, engine).await?);
    }
    Ok(report)
}

async fn beside(bench: &Bench, engine: Engine) -> Result<Row> {
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, 1, MEMBERS).await?;
    let members: Vec<_> = scene.members.iter().step_by(97).take(bench.command.rounds as usize).collect();
    watch(&place, &members).await?;
    let server = Server::start(&place, Workers::On).await?;
    let requests = scene.calls("members.create", 4000, |_| {
        format!("{{\"email\":\"Bench{NUMBER}@example.com\",\"name\":\"Anna Lind\",\"tags\":[\"vip\",\"early-bird\"]}}")
    });
    let mut calls = Calls { connection: Connection::open(server.address).await?, requests, at: 0 };
    let client = Client::new(&format!("http://{}", server.address), &scene.keys[0])?;
    let (mut alone, mut during, mut took) = (Vec::new(), Vec::new(), Duration::ZERO);
    for member in &members {
        let begun = Instant::now();
        while begun.elapsed() < BEFORE {
            alone.push(calls.one().await?);
        }
        took += delete(&client, member, &mut calls, &mut during).await?;
    }
    drop(server);
    bench.stage.leave(place).await;
    let figure = |us: Vec<u32>| {
        let most = f64::from(us.iter().copied().max().unwrap_or(0)) / 1000.0;
        let times = Times::new(us, Duration::ZERO);
        Figure::new(times.within_ms(0.99), "ms p99")
            .with("p50 ms", Some(times.within_ms(0.5)))
            .with("max ms", Some(most))
            .with("calls", Some(times.len() as f64))
    };
    let rows_a_second = f64::from(WATCHED) * members.len() as f64 / took.as_secs_f64();
    let ours = figure(during).with("rows/s deleted", Some(rows_a_second));
    Ok(Row::compared("beside a deletion: members.create", name(engine), figure(alone), ours).aim(Aim::Under(50.0)))
}

/// Deletes a member while calls are made. Gives how long that took.
async fn delete(client: &Client, member: &MemberId, calls: &mut Calls, times: &mut Vec<u32>) -> Result<Duration> {
    let args = json!({ "member": { "id": member } });
    let begun = Instant::now();
    let accepted = client.call("members.delete", &args, None).await.map_err(import::failed)?;
    while begun.elapsed() < PATIENCE {
        for _ in 0..LOOK {
            times.push(calls.one().await?);
        }
        let job = import::look(client, &accepted).await?["job"].clone();
        if job["finishedAt"].is_string() {
            return match job["result"]["watch"] == WATCHED {
                true => Ok(begun.elapsed()),
                false => Err(Failure(format!("the deletion ended as {job}"))),
            };
        }
    }
    Err(Failure("the deletion does not end".into()))
}

/// Gives members watch data of many videos.
async fn watch(place: &Place, members: &[&MemberId]) -> Result<()> {
    let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {WATCHED} - 1)");
    let videos = format!(
        "{numbers} INSERT INTO video (site, id, title, title_key, slug, level, visibility, created_at, updated_at)
         SELECT 1, 'vid_' || i, 'Lesson', 'lesson', 'lesson-' || i, 'free', 'published', 1, 1 FROM n"
    );
    let watches = members.iter().map(|member| {
        format!(
            "{numbers} INSERT INTO watch (site, member_id, video_id, position_s, furthest_s, created_at, updated_at)
             SELECT 1, '{member}', 'vid_' || i, i % 500, i % 500, 2, 2 FROM n"
        )
    });
    let db = place.db().await?;
    for text in std::iter::once(videos).chain(watches) {
        let text = sqlx::AssertSqlSafe(text);
        match (db.sqlite_writer(), db.postgres()) {
            (Some(pool), _) => _ = sqlx::query(text).execute(pool).await?,
            (_, Some(pool)) => _ = sqlx::query(text).execute(pool).await?,
            _ => return Err(Failure("there is no database".into())),
        }
    }
    db.close().await;
    Ok(())
}

struct Calls {
    connection: Connection,
    requests: Arc<Requests>,
    at: usize,
}

impl Calls {
    async fn one(&mut self) -> Result<u32> {
        tokio::time::sleep(PAUSE).await;
        self.at += 1;
        self.connection.send(&self.requests, self.at).await
    }
}
