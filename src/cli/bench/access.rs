//! Access: a paywall explained, beside a member looked up; and a bundle for a whole group, beside one statement that
//! writes the same rows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher_db::{Db, Engine, sql};

use super::{
    super::import::Client,
    Bench, Failure, Result,
    import::{failed, look},
    name,
    report::{Aim, Figure, Row},
    say,
    scene::{self, Scene},
    server::{Server, Workers},
    stage::Place,
    subject::Subject,
};
use crate::{
    clock::Clock,
    values::{BundleId, GroupId, SiteId},
};

/// Members of the site whose paywalls are explained.
const MEMBERS: u64 = 10_000;

/// Different requests, each for another member.
const REQUESTS: usize = 4000;

/// Members of the group.
const GROUP: u64 = 100_000;

/// Between two looks at the job.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in bench.engines() {
        rows.push(why(bench, engine).await?);
        rows.push(group(bench, engine).await?);
    }
    Ok(rows)
}

/// `members.whyPaywall` of a video beside `members.get`, in turns. Nine of ten members are refused, which costs more.
async fn why(bench: &Bench, engine: Engine) -> Result<Row> {
    say(&format!("access: members.whyPaywall on {}", name(engine)));
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, bench.command.keys, MEMBERS).await?;
    let video = {
        let server = Server::start(&place, Workers::Auto).await?;
        let client = client(&server, &scene)?;
        let args = json!({ "title": "Lesson 1", "visibility": "published" });
        client.call("videos.create", &args, None).await.map_err(failed)?["video"]["id"].clone()
    };
    let member = |i: usize| &scene.members[i * 7919 % scene.members.len()];
    let get = scene.calls("members.get", REQUESTS, |i| json!({ "member": { "id": member(i) } }).to_string());
    let why = scene.calls("members.whyPaywall", REQUESTS, |i| {
        json!({ "member": { "id": member(i) }, "video": video }).to_string()
    });
    // One server for both, one after the other, so that both find the same caches.
    let mut get = Subject::new(Server::start(&place, Workers::Auto).await?, get);
    get.warm(bench).await?;
    for _ in 0..bench.command.rounds {
        get.round(bench).await?;
    }
    let baseline = get.figure();
    drop(get);
    let mut why = Subject::new(Server::start(&place, Workers::Auto).await?, why);
    why.warm(bench).await?;
    for _ in 0..bench.command.rounds {
        why.round(bench).await?;
    }
    let row = Row::compared("access: members.whyPaywall / get", name(engine), baseline, why.figure());
    drop(why);
    bench.stage.leave(place).await;
    Ok(row.aim(Aim::RatioOver(0.5)))
}

/// A bundle for each member of a group.
async fn group(bench: &Bench, engine: Engine) -> Result<Row> {
    say(&format!("access: access.grantBundle to {GROUP} members on {}", name(engine)));
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, 1, GROUP).await?;
    let (group, bundles) = prepare(&place).await?;
    let raw = raw(&place, &bundles[0]).await?;
    let server = Server::start(&place, Workers::On).await?;
    let client = client(&server, &scene)?;
    let begun = Instant::now();
    let args = json!({ "group": group, "bundle": bundles[1] });
    let accepted = client.call("access.grantBundle", &args, None).await.map_err(failed)?;
    let ended: Value = loop {
        let answer = look(&client, &accepted).await?;
        if answer["job"]["finishedAt"].is_string() {
            break answer;
        }
        tokio::time::sleep(LOOK).await;
    };
    let took = begun.elapsed();
    drop(server);
    bench.stage.leave(place).await;
    if ended["job"]["result"]["granted"].as_u64() != Some(GROUP) {
        return Err(Failure(format!("not everybody was granted the bundle: {}", ended["job"])));
    }
    let figure = |took: Duration| Figure::new(GROUP as f64 / took.as_secs_f64(), "rows/s");
    Ok(Row::compared("access: grantBundle to 100,000", name(engine), figure(raw), figure(took)))
}

fn client(server: &Server, scene: &Scene) -> Result<Client> {
    Client::new(&format!("http://{}", server.address), &scene.keys[0])
}

/// A group of all members, and two bundles.
async fn prepare(place: &Place) -> Result<(GroupId, [BundleId; 2])> {
    let (db, clock) = (place.db().await?, Clock::system());
    let (site, now, group) = (SiteId::new(1), clock.now(), clock.id::<crate::values::kind::Group>());
    let bundles: [BundleId; 2] = [clock.id(), clock.id()];
    let mut tx = db.begin().await?;
    sql!(
        "INSERT INTO member_group (site, id, name, name_key, created_at, updated_at)
         VALUES ($1, $2, 'Everybody', 'everybody', $3, $3)"
    )
    .bind(site)
    .bind(&group)
    .bind(now)
    .run(tx.conn())
    .await?;
    sql!(
        "INSERT INTO group_place (site, group_id, member_id, added_at)
         SELECT site, $2, id, $3 FROM member WHERE site = $1"
    )
    .bind(site)
    .bind(&group)
    .bind(now)
    .run(tx.conn())
    .await?;
    for bundle in &bundles {
        sql!(
            "INSERT INTO bundle (site, id, name, name_key, is_public, created_at, updated_at)
             VALUES ($1, $2, 'Course', 'course', $3, $4, $4)"
        )
        .bind(site)
        .bind(bundle)
        .bind(false)
        .bind(now)
        .run(tx.conn())
        .await?;
    }
    tx.commit().await?;
    close(db).await;
    Ok((group, bundles))
}

/// The same rows in one statement and one transaction.
async fn raw(place: &Place, bundle: &BundleId) -> Result<Duration> {
    let (db, now) = (place.db().await?, Clock::system().now());
    let begun = Instant::now();
    let mut tx = db.begin().await?;
    sql!(
        "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, direct_since, created_at,
                                  updated_at)
         SELECT site, 'ent' || substr(id, 4), id, $2, 'raw', $3, $3, $3, $3 FROM member WHERE site = $1"
    )
    .bind(SiteId::new(1))
    .bind(bundle)
    .bind(now)
    .run(tx.conn())
    .await?;
    tx.commit().await?;
    let took = begun.elapsed();
    close(db).await;
    Ok(took)
}

async fn close(db: Db) {
    if let Some(pool) = db.postgres() {
        // What autovacuum does sooner or later.
        _ = sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await;
    }
    db.close().await;
}
