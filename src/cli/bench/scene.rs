//! What is in a database before it is measured: a site with raised budgets, keys and members.

use std::sync::Arc;

use usher_db::Db;
use uuid::Uuid;

use super::{
    Result,
    load::{Request, Requests},
    stage::Place,
};
use crate::{
    app,
    areas::{
        keys,
        members::{self, Member, MemberStatus, Span},
        sites::{self, Settings, Site},
    },
    clock::Clock,
    gate::Budgets,
    tools::scope::Preset,
    values::{MemberId, SiteId, Tag, Time},
};

/// More calls than any measure makes.
const MANY: u32 = 1_000_000_000;

/// Members that are written in one statement: their 10 columns are well under the 65,535 values of PostgreSQL.
const CHUNK: usize = 2000;

/// What a measure needs of it.
pub(super) struct Scene {
    pub(super) keys: Vec<String>,
    /// Evenly spread over all members, in the order they were made.
    pub(super) members: Vec<MemberId>,
}

/// Members whose ids are kept.
const KEPT: u64 = 4000;

/// Sets a place up.
pub(super) async fn set(place: &Place, keys: u16, members: u64) -> Result<Scene> {
    let db = place.db().await?;
    app::migrate(&db).await?;
    let clock = Clock::system();
    let site = site(&db, &clock).await?;
    let mut tx = db.begin().await?;
    let scopes = Preset::parse("full-access").expect("a known preset").scopes();
    let mut texts = Vec::new();
    for n in 0..keys {
        let (_, text) = keys::actions::create(&mut tx, &clock, &site, &format!("Bench {n}"), scopes, None).await?;
        texts.push(text);
    }
    tx.commit().await?;
    let members = fill(&db, site.id, clock.now(), members).await?;
    if let Some(pool) = db.postgres() {
        // What autovacuum does sooner or later.
        sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await?;
    }
    db.close().await;
    Ok(Scene { keys: texts, members })
}

/// Another site in a place that is set up.
pub(super) async fn site(db: &Db, clock: &Clock) -> Result<Site> {
    let mut tx = db.begin().await?;
    let site = sites::store::insert(tx.conn(), "Bench", None, true, clock.now()).await?;
    let budgets =
        Budgets { reads_per_minute: MANY, writes_per_minute: MANY, calls_per_minute: MANY, generations_per_day: MANY };
    let settings = Settings { budgets, ..Settings::default() };
    sites::store::update(tx.conn(), site.id, &site.name, None, &settings).await?;
    tx.commit().await?;
    Ok(site)
}

/// Members of three years until now, one after the other.
async fn fill(db: &Db, site: SiteId, now: Time, n: u64) -> Result<Vec<MemberId>> {
    const YEARS_MS: i64 = 3 * 365 * 86_400_000;
    let tag = |text: &str| Tag::parse(text).expect("a tag");
    let (tenth, courses) = (tag("vip"), (0..20).map(|n| tag(&format!("course-{n}"))).collect::<Vec<_>>());
    let mut kept = Vec::new();
    let every = n.div_ceil(KEPT).max(1);
    let mut at = 0;
    while at < n {
        let chunk = (at..n).take(CHUNK).map(|i| {
            let ms = now.millis() - YEARS_MS + (YEARS_MS as u64 * i / n) as i64;
            member(i, ms)
        });
        let chunk: Vec<Member> = chunk.collect();
        at += chunk.len() as u64;
        kept.extend(chunk.iter().filter(|member| number(member).is_multiple_of(every)).map(|member| member.id.clone()));
        let tags = chunk.iter().flat_map(|member| {
            let i = number(member);
            let vip = i.is_multiple_of(10).then_some(&tenth);
            vip.into_iter().chain([&courses[i as usize % courses.len()]]).map(|tag| (&member.id, tag))
        });
        let mut tx = db.begin().await?;
        members::store::insert(tx.conn(), site, &chunk).await?;
        members::store::insert_tags(tx.conn(), site, tags).await?;
        tx.commit().await?;
    }
    Ok(kept)
}

/// The `i`th member: every tenth has free access.
fn member(i: u64, ms: i64) -> Member {
    let id = Uuid::from_u128((ms as u128) << 80 | 7 << 76 | 2 << 62 | u128::from(i) << 20);
    let has_free_access = i.is_multiple_of(10);
    let member = Member::new(MemberId::of(id), format!("Member{i}@mail{}.example.com", i % 50));
    Member {
        name: Some(name(i)),
        status: if has_free_access { MemberStatus::Comped } else { MemberStatus::Free },
        free_access: has_free_access.then_some(Span { since: member.created_at, expires_at: None }),
        ..member
    }
}

/// What the `i`th member is called: one in twenty as another one is, as people are. Of 16,848 names.
fn name(i: u64) -> String {
    let mut rest = if i.is_multiple_of(20) { i + 1 } else { i } as usize;
    let mut digit = |base: usize| {
        let digit = rest % base;
        rest /= base;
        digit
    };
    let (first, last, initial, second) = (digit(FIRST.len()), digit(LAST.len()), digit(26), digit(LAST.len()));
    let initial = char::from(b'A' + initial as u8);
    format!("{} {initial}. {}-{}", FIRST[first], LAST[last], LAST[second])
}

const FIRST: [&str; 8] = ["Anna", "Ben", "Chloé", "Dmitri", "Elif", "Femi", "Grace", "Hiro"];
const LAST: [&str; 9] = ["Lind", "Okafor", "Silva", "Novak", "Tanaka", "Müller", "Haddad", "Kowalski", "Rossi"];

fn number(member: &Member) -> u64 {
    (member.id.number().as_u128() >> 20) as u64 & 0xffff_ffff
}

impl Scene {
    /// Calls of a tool with arguments made for each place in turn, spread over the keys.
    pub(super) fn calls(&self, tool: &str, n: usize, args: impl Fn(usize) -> String) -> Arc<Requests> {
        Requests::new((0..n).map(|i| Request::call(tool, &self.keys[i % self.keys.len()], &args(i))))
    }
}
