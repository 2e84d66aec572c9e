//! What a site may do in a day, all keys together, counted from midnight to midnight UTC. A use is counted in the
//! transaction of what uses it, so that it is exact across processes and a call that fails uses nothing up.

use usher_db::{Conn, Result as DbResult, sql};

use super::Cx;
use crate::{
    error::{Code, Error, Result},
    values::{SiteId, Time},
};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// Uses one of the day's calls that delete, cancel or refund.
pub(super) async fn destroy(cx: &mut Cx) -> Result<()> {
    let cap = cx.caller.site.settings.destructive_per_day;
    let (site, day) = (cx.site(), cx.now.midnight());
    if take(cx.conn(), site, "destructive", day, 1, cap).await? {
        return Ok(());
    }
    let text = format!(
        "The site has made its {cap} calls of today that delete, cancel or refund. Go on after midnight UTC, or raise the cap: \
         usher sites update --destructive-per-day."
    );
    let left_s = DAY_S.saturating_sub(cx.now.since(day).as_secs()).max(1);
    Err(Error::new(Code::DailyCapReached, text).retry_after(left_s))
}

/// Uses so many of the day's mails to members.
pub async fn email(cx: &mut Cx, n: u32) -> Result<()> {
    let cap = cx.caller.site.settings.emails_per_day;
    let (site, day) = (cx.site(), cx.now.midnight());
    if n == 0 || take(cx.conn(), site, "email", day, n, cap).await? {
        return Ok(());
    }
    let left = cap.saturating_sub(used(cx.conn(), site, "email", day).await?);
    let text = format!(
        "The site may send {cap} mails to members a day, of which {left} are left, and this call would send {n}. Nothing \
         went out. Go on after midnight UTC, write to fewer, or raise the cap: usher sites update --emails-per-day."
    );
    let left_s = DAY_S.saturating_sub(cx.now.since(day).as_secs()).max(1);
    Err(Error::new(Code::DailyCapReached, text).retry_after(left_s))
}

/// How often something was used in a day.
async fn used(conn: Conn<'_>, site: SiteId, what: &str, day: Time) -> DbResult<u32> {
    let row: Option<(u32,)> = sql!("SELECT used FROM daily_use WHERE site = $1 AND what = $2 AND day = $3")
        .bind(site)
        .bind(what)
        .bind(day)
        .optional(conn)
        .await?;
    Ok(row.map_or(0, |(used,)| used))
}

/// Counts `n` more uses of a day unless there would be more than `cap`; whether it did.
async fn take(conn: Conn<'_>, site: SiteId, what: &str, day: Time, n: u32, cap: u32) -> DbResult<bool> {
    let counted = sql!(
        "INSERT INTO daily_use (site, what, day, used) SELECT $1, $2, $3, $4 WHERE CAST($4 AS BIGINT) <= $5
         ON CONFLICT (site, what, day) DO UPDATE SET used = daily_use.used + excluded.used
         WHERE daily_use.used + excluded.used <= $5"
    )
    .bind(site)
    .bind(what)
    .bind(day)
    .bind(n)
    .bind(cap)
    .run(conn)
    .await?;
    Ok(counted == 1)
}
