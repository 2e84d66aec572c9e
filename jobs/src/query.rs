//! Reading jobs.

use usher_db::{Conn, FromRow, Row, sql, sql_both};

use crate::{JobRow, Jobs, Result, State, clock, row::columns};

/// Which jobs [`Jobs::list`] gives. The default is all of a site's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those that this key started.
    pub key_id: Option<&'a str>,
    /// Only those that stand so.
    pub state: Option<State>,
    /// Only those of this kind.
    pub kind: Option<&'a str>,
}

/// How much work there is, over all sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs that wait, also those that wait for their next attempt.
    pub queued: i64,
    /// Jobs that a worker has.
    pub running: i64,
    /// For how long the oldest job that could run has been waiting, in microseconds.
    pub oldest_us: i64,
    /// Jobs that failed for good and were not retried.
    pub dead: i64,
}

impl FromRow for Depth {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { queued: row.take()?, running: row.take()?, oldest_us: row.take()?, dead: row.take()? })
    }
}

/// Sorts after every id.
const LAST: &str = "~";

impl Jobs {
    /// One job of a site.
    pub async fn get(&self, conn: Conn<'_>, site: i64, id: &str) -> Result<Option<JobRow>> {
        sql!(concat!("SELECT ", columns!(), " FROM job WHERE site = $1 AND id = $2"))
            .bind(site)
            .bind(id)
            .optional(conn)
            .await
    }

    /// A site's jobs, newest first: at most `limit` of those before the id `before`.
    pub async fn list(
        &self,
        conn: Conn<'_>,
        site: i64,
        filter: Filter<'_>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<JobRow>> {
        let statement = match filter.key_id {
            // Two texts, so that each has its index.
            Some(key) => sql!(concat!(
                "SELECT ",
                columns!(),
                " FROM job WHERE site = $1 AND id < $2 AND (state = $3 OR $3 IS NULL) AND (kind = $4 OR $4 IS NULL) \
                 AND key_id = $6 ORDER BY id DESC LIMIT $5"
            ))
            .bind(site)
            .bind(before.unwrap_or(LAST))
            .bind(filter.state.map(State::as_str))
            .bind(filter.kind)
            .bind(limit)
            .bind(key),
            None => sql!(concat!(
                "SELECT ",
                columns!(),
                " FROM job WHERE site = $1 AND id < $2 AND (state = $3 OR $3 IS NULL) AND (kind = $4 OR $4 IS NULL) \
                 ORDER BY id DESC LIMIT $5"
            ))
            .bind(site)
            .bind(before.unwrap_or(LAST))
            .bind(filter.state.map(State::as_str))
            .bind(filter.kind)
            .bind(limit),
        };
        statement.all(conn).await
    }

    /// How much work there is, for `/metrics`.
    pub async fn depth(&self) -> Result<Depth> {
        macro_rules! depth {
            ($engine:tt) => {
                concat!(
                    "SELECT (SELECT count(*) FROM job WHERE state = 'queued'), \
                     (SELECT count(*) FROM job WHERE state = 'running'), \
                     COALESCE((SELECT CASE WHEN min(not_before) < ",
                    clock!($engine),
                    " THEN ",
                    clock!($engine),
                    " - min(not_before) END FROM job WHERE state = 'queued'), 0), \
                     (SELECT count(*) FROM job WHERE state = 'failed')"
                )
            };
        }
        sql_both!(sqlite: depth!(sqlite), postgres: depth!(postgres)).one(self.db().read()).await
    }

    /// How many workers were seen in the last minutes, of all processes.
    pub async fn n_workers(&self) -> Result<i64> {
        let (n,): (i64,) = sql_both!(
            sqlite: "SELECT count(*) FROM Workers WHERE last_seen > unixepoch() - 120",
            postgres: "SELECT count(*) FROM apalis.workers WHERE last_seen > now() - interval '120 seconds'"
        )
        .one(self.db().read())
        .await?;
        Ok(n)
    }

    /// Forgets jobs that ended before a time (microseconds since 1970), the oldest first, about `limit` of
    /// them; gives how many. Their dedupe keys are free again.
    pub async fn forget(&self, conn: Conn<'_>, ended_before: i64, limit: u32) -> Result<u64> {
        sql!(
            "DELETE FROM job WHERE finished_at < $1 AND finished_at <= (SELECT max(finished_at) FROM \
             (SELECT finished_at FROM job WHERE finished_at < $1 ORDER BY finished_at LIMIT $2) AS oldest)"
        )
        .bind(ended_before)
        .bind(limit)
        .run(conn)
        .await
    }
}
