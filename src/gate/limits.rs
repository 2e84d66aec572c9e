//! Letting calls in: the budgets of their keys, and how their sites stand.
//!
//! On SQLite, where one process serves, the budgets are in memory. On PostgreSQL they are one row a key: calls that
//! arrive while one round to the database is under way share the next; each process works on its copy of the rows and
//! writes them back on condition that nobody else has meanwhile; if somebody has, it reads and decides again. So the
//! budgets are exact whatever the number of processes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use usher_db::{Db, Engine, sql_both};

use super::budget::{Budgets, Standing, Usage};
use crate::{
    areas::sites,
    clock::Clock,
    error::{Error, Result},
    tools::Kind,
    values::{KeyId, SiteId, Time},
};

/// Calls that one round decides at most.
const ROUND: usize = 512;

/// Keys whose usage is kept in memory before those at rest are forgotten.
const KEPT: usize = 10_000;

/// Tries to write a row back that other processes write too.
const TRIES: usize = 50;

/// What a call needs.
#[derive(Clone)]
pub(super) struct Ask {
    pub site: SiteId,
    pub key: KeyId,
    pub kind: Kind,
    pub budgets: Budgets,
}

/// What it got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    /// Let in, or refused, and how the tightest budget stands.
    pub standing: Result<Standing, Standing>,
    /// The site's revision, as it was when this was decided.
    pub revision: i64,
}

/// What is asked of a round.
enum Wish {
    Take(Ask, oneshot::Sender<Result<Admission>>),
    Look(Ask, oneshot::Sender<Result<Admission>>),
    GiveBack(Ask),
}

type Key = (SiteId, Box<str>);

/// The budgets.
pub enum Limits {
    /// Of this process alone.
    Alone(Alone),
    /// Of several processes.
    Shared(Shared),
}

impl Limits {
    /// The budgets as the database wants them kept.
    pub fn start(db: Db, clock: Clock) -> Self {
        match db.engine() {
            Engine::Sqlite => Self::Alone(Alone { db, clock, used: Mutex::default() }),
            Engine::Postgres => Self::Shared(Shared::start(db, clock)),
        }
    }

    /// Lets a call in or refuses it.
    pub(super) async fn take(&self, ask: Ask) -> Result<Admission> {
        match self {
            Self::Alone(alone) => alone.take(&ask).await,
            Self::Shared(shared) => shared.take(ask).await,
        }
    }

    /// How the budgets stand, for a call that is refused before it uses any; `None` where nobody can say.
    pub(super) async fn look(&self, ask: Ask) -> Option<Standing> {
        match self {
            Self::Alone(alone) => {
                let mut used = alone.used.lock();
                // A key that has used nothing is not remembered for it.
                let mut unused = Usage::default();
                let usage = used.get_mut(&key(&ask)).unwrap_or(&mut unused);
                Some(usage.look(ask.kind, alone.clock.now(), &ask.budgets))
            }
            Self::Shared(shared) => {
                let (send, answer) = oneshot::channel();
                shared.0.send(Wish::Look(ask, send)).await.ok()?;
                answer.await.ok()?.ok()?.standing.ok()
            }
        }
    }

    /// Takes back what a call turned out not to use.
    pub(super) async fn give_back(&self, ask: Ask) {
        match self {
            Self::Alone(alone) => alone.used.lock().entry(key(&ask)).or_default().give_back(ask.kind),
            Self::Shared(shared) => _ = shared.0.send(Wish::GiveBack(ask)).await,
        }
    }
}

/// Budgets in memory.
pub struct Alone {
    db: Db,
    clock: Clock,
    used: Mutex<HashMap<Key, Usage>>,
}

impl Alone {
    async fn take(&self, ask: &Ask) -> Result<Admission> {
        // Keys and sites are changed by other processes too.
        let revision = sites::store::revision(self.db.read(), ask.site).await?;
        let revision = revision.ok_or_else(super::door::invalid_key)?;
        let now = self.clock.now();
        let mut used = self.used.lock();
        if used.len() > KEPT {
            used.retain(|_, usage| !usage.is_idle(now));
        }
        let standing = used.entry(key(ask)).or_default().take(ask.kind, now, &ask.budgets);
        Ok(Admission { standing, revision })
    }
}

/// Budgets in the database.
pub struct Shared(mpsc::Sender<Wish>);

impl Shared {
    fn start(db: Db, clock: Clock) -> Self {
        let (send, mut wishes) = mpsc::channel(8192);
        let mut round = Round { db, clock, known: HashMap::new() };
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while wishes.recv_many(&mut batch, ROUND).await > 0 {
                round.decide(std::mem::take(&mut batch)).await;
            }
        });
        Self(send)
    }

    async fn take(&self, ask: Ask) -> Result<Admission> {
        let (send, answer) = oneshot::channel();
        let gone = || Error::unavailable("The server is shutting down. Try again in a moment.");
        self.0.send(Wish::Take(ask, send)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// One round to the database.
struct Round {
    db: Db,
    clock: Clock,
    /// The usage of keys, and the version of the row that it was read from or written to.
    known: HashMap<Key, (i64, Usage)>,
}

impl Round {
    async fn decide(&mut self, wishes: Vec<Wish>) {
        let now = self.clock.now();
        if self.known.len() > KEPT {
            self.known.retain(|_, (_, usage)| !usage.is_idle(now));
        }
        let outcome = self.shared(&wishes, now).await.map_err(Arc::new);
        for (at, wish) in wishes.into_iter().enumerate() {
            let (Wish::Take(_, answer) | Wish::Look(_, answer)) = wish else { continue };
            _ = answer.send(match &outcome {
                Ok(admissions) => admissions[at].ok_or_else(super::door::invalid_key),
                Err(error) => Err(away(error.clone())),
            });
        }
    }

    async fn shared(&mut self, wishes: &[Wish], now: Time) -> usher_db::Result<Vec<Option<Admission>>> {
        let mut admissions: Vec<Option<(Result<Standing, Standing>, i64)>> = vec![None; wishes.len()];
        // Sorted, so that two processes lock rows in the same order.
        let mut open: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (at, wish) in wishes.iter().enumerate() {
            open.entry(key(ask(wish))).or_default().push(at);
        }
        for _ in 0..TRIES {
            self.read_unknown(open.keys()).await?;
            let mut proposed = Vec::with_capacity(open.len());
            for (key, asks) in &open {
                let (version, mut usage) = self.known.get(key).cloned().unwrap_or_default();
                for at in asks {
                    admissions[*at] = apply(&mut usage, &wishes[*at], now).map(|standing| (standing, 0));
                }
                proposed.push((key.clone(), version + 1, usage));
            }
            let written = write(&self.db, &proposed).await?;
            for (key, version, usage) in proposed {
                match written.get(&key) {
                    Some((revision, true)) => {
                        for at in open.remove(&key).into_iter().flatten() {
                            admissions[at] = admissions[at].map(|(standing, _)| (standing, *revision));
                        }
                        self.known.insert(key, (version, usage));
                    }
                    Some((_, false)) => _ = self.known.remove(&key),
                    // No such site any more.
                    None => open.remove(&key).into_iter().flatten().for_each(|at| admissions[at] = None),
                }
            }
            if open.is_empty() {
                let admission = |(standing, revision)| Admission { standing, revision };
                return Ok(admissions.into_iter().map(|one| one.map(admission)).collect());
            }
        }
        Err(usher_db::Error::Protocol("too many processes write the same budget".into()))
    }

    async fn read_unknown(&mut self, keys: impl Iterator<Item = &Key>) -> usher_db::Result<()> {
        for key in keys.filter(|key| !self.known.contains_key(*key)).cloned().collect::<Vec<_>>() {
            let row: Option<(i64, Vec<u8>)> = sql_both!(
                sqlite: "SELECT 0, x'' WHERE $1 <> 0 AND $2 <> ''",
                postgres: "SELECT version, state FROM budget WHERE site = $1 AND key_id = $2",
            )
            .bind(key.0)
            .bind(&*key.1)
            .optional(self.db.read())
            .await?;
            let (version, state) = row.unwrap_or_default();
            self.known.insert(key, (version, Usage::from_bytes(&state)));
        }
        Ok(())
    }
}

/// Writes the rows whose version is the one before, and says for each how its site stands and whether it was written.
async fn write(db: &Db, rows: &[(Key, i64, Usage)]) -> usher_db::Result<HashMap<Key, (i64, bool)>> {
    let values = rows
        .iter()
        .map(|(key, version, usage)| [key.0.into(), (&*key.1).into(), (*version).into(), usage.to_bytes().into()]);
    let written: Vec<(SiteId, String, i64, bool)> = sql_both!(
        sqlite: "SELECT 0, '', 0, 0 FROM (VALUES ($1, $2, $3, $4))",
        postgres: "WITH asked (site, key_id, version, state) AS (VALUES ($1::bigint, $2::text, $3::bigint, $4::bytea)),
              written AS (
                  INSERT INTO budget SELECT site, key_id, version, state FROM asked ORDER BY site, key_id
                  ON CONFLICT (site, key_id) DO UPDATE SET version = excluded.version, state = excluded.state
                  WHERE budget.version = excluded.version - 1
                  RETURNING site, key_id)
              SELECT asked.site, asked.key_id, site.revision, written.key_id IS NOT NULL
              FROM asked JOIN site ON site.id = asked.site
              LEFT JOIN written ON written.site = asked.site AND written.key_id = asked.key_id",
    )
    .rows(values)
    .all(db.read())
    .await?;
    Ok(written.into_iter().map(|(site, key, revision, done)| ((site, key.into()), (revision, done))).collect())
}

fn ask(wish: &Wish) -> &Ask {
    match wish {
        Wish::Take(ask, _) | Wish::Look(ask, _) | Wish::GiveBack(ask) => ask,
    }
}

fn key(ask: &Ask) -> Key {
    (ask.site, ask.key.as_str().into())
}

/// Counts a call, or takes one back; `None` for the latter.
fn apply(usage: &mut Usage, wish: &Wish, now: Time) -> Option<Result<Standing, Standing>> {
    match wish {
        Wish::Take(ask, _) => Some(usage.take(ask.kind, now, &ask.budgets)),
        Wish::Look(ask, _) => Some(Ok(usage.look(ask.kind, now, &ask.budgets))),
        Wish::GiveBack(ask) => {
            usage.give_back(ask.kind);
            None
        }
    }
}

fn away(error: Arc<usher_db::Error>) -> Error {
    Error::unavailable("The database does not answer; nothing was written. Try again in a moment.").caused_by(error)
}

/// How often an address may come with a key that is not known.
pub(super) struct Throttle {
    addresses: Mutex<HashMap<std::net::IpAddr, Usage>>,
    budgets: Budgets,
}

impl Throttle {
    /// At most `quota` calls in any 60 seconds.
    pub(super) fn new(quota: u32) -> Self {
        let budgets =
            Budgets { reads_per_minute: quota, writes_per_minute: 0, calls_per_minute: quota, generations_per_day: 0 };
        Self { addresses: Mutex::default(), budgets }
    }

    /// Counts a call with an unknown key; after how many seconds the next is looked at if there were too many.
    pub(super) fn count(&self, address: std::net::IpAddr, now: Time) -> Result<(), u64> {
        let mut addresses = self.addresses.lock();
        if addresses.len() > KEPT {
            addresses.retain(|_, usage| !usage.is_idle(now));
            if addresses.len() > KEPT {
                addresses.clear();
            }
        }
        let usage = addresses.entry(network(address)).or_default();
        usage.take(Kind::Read, now, &self.budgets).map(drop).map_err(|refused| refused.reset_s)
    }
}

/// An IPv6 user has a /64 of addresses; an IPv4 user one.
fn network(address: std::net::IpAddr) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => std::net::Ipv6Addr::from(u128::from(six) >> 64 << 64).into(),
        },
        four => four,
    }
}
