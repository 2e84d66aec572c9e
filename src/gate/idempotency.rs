//! The first answer to each Idempotency-Key, kept with its effect and given again. One with a secret in it is sealed while
//! it is kept, so that who reads the database, a back-up included, reads none.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use usher_db::{Conn, Engine, Result as DbResult, Tx, sql, sql_both};

use crate::{
    error::{Code, Error, Result},
    seal::Sealer,
    values::{KeyId, RequestId, SiteId, Time},
};

/// The longest Idempotency-Key, in bytes.
pub const LONGEST: usize = 255;

/// Days that an answer is kept.
pub const KEPT_DAYS: u32 = 30;

/// Refuses an Idempotency-Key that cannot be one.
pub(super) fn check(name: &str) -> Result<()> {
    if (1..=LONGEST).contains(&name.len()) {
        return Ok(());
    }
    Err(Error::field("Idempotency-Key", format!("has 1 to {LONGEST} bytes")))
}

/// Whose Idempotency-Key it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub site: SiteId,
    pub key: KeyId,
    pub name: Box<str>,
}

/// An answer that was given.
pub(super) struct Stored {
    pub fingerprint: Vec<u8>,
    pub answer: String,
}

/// The calls of this process that are being worked on under an Idempotency-Key.
#[derive(Clone, Default)]
pub(super) struct InProgress(Arc<Mutex<HashSet<Scope>>>);

/// Says that a call is being worked on, until it is dropped.
pub(super) struct Working(InProgress, Scope);

impl InProgress {
    /// Begins a call, unless one with the same Idempotency-Key has begun.
    pub(super) fn begin(&self, scope: Scope) -> Result<Working> {
        if !self.0.lock().insert(scope.clone()) {
            return Err(in_progress());
        }
        Ok(Working(self.clone(), scope))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        (self.0).0.lock().remove(&self.1);
    }
}

fn in_progress() -> Error {
    Error::new(
        Code::IdempotencyInProgress,
        "A call with this Idempotency-Key is being worked on. Wait for its answer, or send the same call again in a moment.",
    )
    .retry_after(1)
}

/// What makes two calls the same: the tool and its arguments, in whatever order its fields stand.
pub(super) fn fingerprint(tool: &str, args: &serde_json::Value) -> Vec<u8> {
    let mut args = args.clone();
    args.sort_all_objects();
    Sha256::digest(format!("{tool} {args}")).to_vec()
}

/// Holds the Idempotency-Key against other processes until the transaction ends. SQLite has one writer.
pub(super) async fn hold(tx: &mut Tx, scope: &Scope) -> Result<()> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    let digest = Sha256::digest(format!("{} {} {}", scope.site, scope.key, scope.name));
    let number = i64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
    let (held,): (bool,) = sql_both!(sqlite: "SELECT $1 <> 0", postgres: "SELECT pg_try_advisory_xact_lock($1)")
        .bind(number)
        .one(tx.conn())
        .await?;
    if held { Ok(()) } else { Err(in_progress()) }
}

/// What a body begins with, which nothing sealed does.
const OPEN: char = '{';

/// An answer as it is kept if there is a secret in it.
pub(super) fn sealed(scope: &Scope, sealer: &Sealer, answer: &str) -> String {
    sealer.seal(&purpose(scope), answer)
}

fn opened(scope: &Scope, sealer: &Sealer, kept: String) -> Result<String> {
    if kept.starts_with(OPEN) {
        return Ok(kept);
    }
    let opened = sealer.open(&purpose(scope), &kept);
    opened.map(|text| text.to_string()).map_err(|error| {
        let text = "The answer to this Idempotency-Key was sealed with another secret key. Use a new Idempotency-Key, or \
                    ask the operator to put the old key back, after the present one.";
        Error::new(Code::SecretKeyUnusable, text).caused_by(error)
    })
}

/// What an answer is sealed for: its place, so that it can be put in no other.
fn purpose(scope: &Scope) -> String {
    format!("answer kept for {} {} {}", scope.site, scope.key, scope.name)
}

/// The answer that was given, if one was.
pub(super) async fn find(conn: Conn<'_>, scope: &Scope, sealer: &Sealer) -> Result<Option<Stored>> {
    let row: Option<(Vec<u8>, String)> =
        sql!("SELECT fingerprint, answer FROM idempotency WHERE site = $1 AND key_id = $2 AND idempotency_key = $3")
            .bind(scope.site)
            .bind(&scope.key)
            .bind(&*scope.name)
            .optional(conn)
            .await?;
    let stored = |(fingerprint, kept)| Ok(Stored { fingerprint, answer: opened(scope, sealer, kept)? });
    row.map(stored).transpose()
}

/// Keeps an answer.
pub(super) async fn keep(
    conn: Conn<'_>,
    scope: &Scope,
    stored: &Stored,
    request: &RequestId,
    now: Time,
) -> DbResult<()> {
    sql!(
        "INSERT INTO idempotency (site, key_id, idempotency_key, fingerprint, answer, request_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(scope.site)
    .bind(&scope.key)
    .bind(&*scope.name)
    .bind(&stored.fingerprint[..])
    .bind(&stored.answer)
    .bind(request)
    .bind(now)
    .run(conn)
    .await
    .map(drop)
}

/// Replaces an answer that said a job was accepted by the one that says how it ended.
pub(super) async fn replace(conn: Conn<'_>, scope: &Scope, answer: &str) -> DbResult<()> {
    sql!("UPDATE idempotency SET answer = $4 WHERE site = $1 AND key_id = $2 AND idempotency_key = $3")
        .bind(scope.site)
        .bind(&scope.key)
        .bind(&*scope.name)
        .bind(answer)
        .run(conn)
        .await
        .map(drop)
}

/// Forgets what is older, at most `limit` rows.
pub async fn prune(conn: Conn<'_>, before: Time, limit: u32) -> DbResult<u64> {
    sql!(
        "DELETE FROM idempotency WHERE (site, key_id, idempotency_key) IN
         (SELECT site, key_id, idempotency_key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .run(conn)
    .await
}

/// An answer that was kept, for whoever takes a person out of it.
pub struct Kept {
    /// The key and the Idempotency-Key.
    pub place: (String, String),
    /// The body.
    pub answer: String,
}

impl usher_db::FromRow for Kept {
    fn from_row(row: &mut usher_db::Row<'_>) -> DbResult<Self> {
        Ok(Self { place: (row.take()?, row.take()?), answer: row.take()? })
    }
}

/// The next answers of calls since a time in which a person may stand, by id or by address, at most `limit`. `pattern`
/// is for `LIKE`, in lower case, with `!` to escape.
pub async fn mentions(
    conn: Conn<'_>,
    site: SiteId,
    (member, pattern): (&crate::values::MemberId, &str),
    since: Time,
    after: &(String, String),
    limit: u32,
) -> DbResult<Vec<Kept>> {
    macro_rules! text {
        ($index:literal) => {
            concat!(
                "SELECT key_id, idempotency_key, answer FROM idempotency ",
                $index,
                " WHERE site = $1 AND created_at >= $2 AND (key_id, idempotency_key) > ($3, $4)
                    AND (answer LIKE $5 OR lower(answer) LIKE $6 ESCAPE '!'
                         OR (octet_length(answer) <> length(answer) AND answer LIKE '%@%') OR answer LIKE '%\"@%')
                  ORDER BY key_id, idempotency_key LIMIT $7"
            )
        };
    }
    // SQLite would read all that the site has; of late ones there are few.
    sql_both!(sqlite: text!("INDEXED BY idempotency_age"), postgres: text!(""))
        .bind(site)
        .bind(since)
        .bind(&after.0)
        .bind(&after.1)
        .bind(format!("%{member}%"))
        .bind(pattern)
        .bind(limit)
        .all(conn)
        .await
}

/// A kept answer as it is now; nobody else changes it until the transaction ends.
pub async fn hold_kept(conn: Conn<'_>, site: SiteId, place: &(String, String)) -> DbResult<Option<Kept>> {
    sql_both!(
        sqlite: "SELECT key_id, idempotency_key, answer FROM idempotency
                 WHERE site = $1 AND key_id = $2 AND idempotency_key = $3",
        postgres: "SELECT key_id, idempotency_key, answer FROM idempotency
                   WHERE site = $1 AND key_id = $2 AND idempotency_key = $3 FOR UPDATE",
    )
    .bind(site)
    .bind(&place.0)
    .bind(&place.1)
    .optional(conn)
    .await
}

/// Writes an answer anew.
pub async fn rewrite(conn: Conn<'_>, site: SiteId, kept: &Kept) -> DbResult<u64> {
    sql!("UPDATE idempotency SET answer = $4 WHERE site = $1 AND key_id = $2 AND idempotency_key = $3")
        .bind(site)
        .bind(&kept.place.0)
        .bind(&kept.place.1)
        .bind(&kept.answer)
        .run(conn)
        .await
}
