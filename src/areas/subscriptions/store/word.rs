//! What was asked for last of a subscription at Stripe.

use usher_db::{Conn, FromRow, Result, Row, sql};

use crate::{
    areas::subscriptions::types::Wanted,
    values::{MemberId, SiteId, SubscriptionId, Time},
};

/// The last word about a subscription, whether Stripe has confirmed it or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// What it is to be.
    pub asked: Wanted,
    /// When a pause is to end by itself.
    pub resumes_at: Option<Time>,
    /// The job that brings it about.
    pub job: String,
}

impl FromRow for Word {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { asked: Wanted::stored(&row.take::<String>()?)?, resumes_at: row.take()?, job: row.take()? })
    }
}

/// The last word, if there was one.
pub async fn word(conn: Conn<'_>, site: SiteId, id: &SubscriptionId) -> Result<Option<Word>> {
    sql!(
        "SELECT asked, resume_wanted, asked_job FROM subscription
         WHERE site = $1 AND id = $2 AND asked IS NOT NULL AND asked_job IS NOT NULL"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Writes the last word, which from now on is wanted.
pub async fn ask(conn: Conn<'_>, site: SiteId, id: &SubscriptionId, word: &Word, now: Time) -> Result<u64> {
    sql!(
        "UPDATE subscription SET wanted = $3, wanted_at = $4, resume_wanted = $5, asked = $3, asked_job = $6,
                                 updated_at = $4
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(id)
    .bind(word.asked.as_str())
    .bind(now)
    .bind(word.resumes_at)
    .bind(&word.job)
    .run(conn)
    .await
}

/// Takes back a word that cannot come true, unless there was another since.
pub async fn silence(conn: Conn<'_>, site: SiteId, id: &SubscriptionId, job: &str) -> Result<u64> {
    sql!(
        "UPDATE subscription SET wanted = NULL, resume_wanted = NULL, asked = NULL, asked_job = NULL
         WHERE site = $1 AND id = $2 AND asked_job = $3"
    )
    .bind(site)
    .bind(id)
    .bind(job)
    .run(conn)
    .await
}

/// Whose subscription a job was to bring to a word, and Stripe's id of it, if no other word was given since.
pub async fn asked_of(
    conn: Conn<'_>,
    site: SiteId,
    job: &str,
) -> Result<Option<(SubscriptionId, MemberId, Option<String>)>> {
    sql!("SELECT id, member_id, external_id FROM subscription WHERE site = $1 AND asked_job = $2")
        .bind(site)
        .bind(job)
        .optional(conn)
        .await
}
