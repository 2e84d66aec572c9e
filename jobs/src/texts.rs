//! The texts of jobs that have ended, for whoever must take something out of them.

use usher_db::{Conn, FromRow, Row, sql, sql_both};

use crate::{Jobs, Result};

/// What a job that has ended holds as text; all but the error is JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// The job.
    pub id: String,
    /// What it was to do.
    pub payload: String,
    /// Where it got to; absent while it may be retried, since its handler goes on from there.
    pub checkpoint: Option<String>,
    /// What it gave.
    pub result: Option<String>,
    /// Its last failure.
    pub error: Option<String>,
}

impl FromRow for Texts {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            payload: row.take()?,
            checkpoint: row.take()?,
            result: row.take()?,
            error: row.take()?,
        })
    }
}

impl Jobs {
    /// The next jobs of a site after the id `after` that ended since a time (microseconds since 1970) and may hold one of
    /// two texts: `LIKE` patterns, the second in lower case with `!` to escape. Whatever is not wholly ASCII and has an
    /// `@` is given too.
    pub async fn mentions(
        &self,
        conn: Conn<'_>,
        site: i64,
        (text, lower): (&str, &str),
        since: i64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Texts>> {
        macro_rules! text {
            ($index:literal) => {
                concat!(
                    "SELECT id, payload, checkpoint, result, error FROM
                     (SELECT id, payload, CASE WHEN state = 'succeeded' THEN checkpoint END AS checkpoint, result, error,
                             payload || ' ' || COALESCE(checkpoint, '') || ' ' || COALESCE(result, '') || ' '
                             || COALESCE(error, '') AS texts
                      FROM job ",
                    $index,
                    " WHERE site = $1 AND finished_at >= $2 AND finished_at IS NOT NULL AND id > $3) AS ended
                     WHERE texts LIKE $4 OR lower(texts) LIKE $5 ESCAPE '!'
                        OR (octet_length(texts) <> length(texts) AND texts LIKE '%@%') OR texts LIKE '%\"@%'
                     ORDER BY id LIMIT $6"
                )
            };
        }
        // SQLite would read all that the site has; of late ones there are few.
        sql_both!(sqlite: text!("INDEXED BY job_over"), postgres: text!(""))
            .bind(site)
            .bind(since)
            .bind(after)
            .bind(text)
            .bind(lower)
            .bind(limit)
            .all(conn)
            .await
    }

    /// One of them as it is now; nobody else changes it until the transaction ends.
    pub async fn hold_texts(&self, conn: Conn<'_>, site: i64, id: &str) -> Result<Option<Texts>> {
        macro_rules! text {
            ($lock:literal) => {
                concat!(
                    "SELECT id, payload, CASE WHEN state = 'succeeded' THEN checkpoint END, result, error FROM job
                     WHERE site = $1 AND id = $2 AND finished_at IS NOT NULL",
                    $lock
                )
            };
        }
        sql_both!(sqlite: text!(""), postgres: text!(" FOR UPDATE")).bind(site).bind(id).optional(conn).await
    }

    /// Writes the texts of a job that has ended.
    pub async fn rewrite(&self, conn: Conn<'_>, site: i64, texts: &Texts) -> Result<u64> {
        sql!(
            "UPDATE job SET payload = $3, checkpoint = COALESCE($4, checkpoint), result = $5, error = $6
             WHERE site = $1 AND id = $2 AND finished_at IS NOT NULL"
        )
        .bind(site)
        .bind(&texts.id)
        .bind(&texts.payload)
        .bind(texts.checkpoint.as_deref())
        .bind(texts.result.as_deref())
        .bind(texts.error.as_deref())
        .run(conn)
        .await
    }
}
