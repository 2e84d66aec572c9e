//! The SQL of the report. Each step first says where so many rows end, then looks at those alone.

use usher_db::{Conn, FromRow, Result, Row, sql};

use crate::{
    areas::subscriptions::{Subscription, goes_on, live_statuses, subscription_columns},
    values::{MemberId, SiteId, Time},
};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Subscriptions,
    Members,
    Strays,
    Disputes,
}

impl Step {
    pub(super) const ALL: [Self; 4] = [Self::Subscriptions, Self::Members, Self::Strays, Self::Disputes];
}

/// What does not agree.
pub(super) enum Suspect {
    /// A live subscription; whether its member is held to pay, and how many live ones the member had before it.
    Subscription { subscription: Box<Subscription>, is_paid: bool, others: i64 },
    /// Held to pay.
    Member(MemberId),
    /// Lost, and what it paid for goes on: when it began, over how much, and in which currency.
    Dispute { id: String, created_at: Time, amount: i64, currency: String, subscription: Box<Subscription> },
    /// Nobody's.
    Stray { id: String, customer: Option<String>, status: String, member: Option<MemberId> },
}

impl Suspect {
    /// Its id, by which its step goes.
    pub(super) fn at(&self) -> &str {
        match self {
            Self::Subscription { subscription, .. } => subscription.id.as_str(),
            Self::Member(id) => id.as_str(),
            Self::Stray { id, .. } | Self::Dispute { id, .. } => id,
        }
    }
}

/// The last of the next rows of a step; `None` after the last of all.
pub(super) async fn upto(conn: Conn<'_>, site: SiteId, step: Step, after: &str, rows: u32) -> Result<Option<String>> {
    let statement = match step {
        Step::Subscriptions => sql!(
            "SELECT max(id) FROM (SELECT id FROM subscription WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3) AS next"
        ),
        Step::Members => sql!(
            "SELECT max(id) FROM (SELECT id FROM member WHERE site = $1 AND status = 'paid' AND id > $2
                                  ORDER BY id LIMIT $3) AS next"
        ),
        Step::Disputes => sql!(
            "SELECT max(id) FROM (SELECT id FROM stripe_dispute WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3) AS next"
        ),
        Step::Strays => sql!(
            "SELECT max(id) FROM (SELECT id FROM stripe_stray WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3) AS next"
        ),
    };
    let (last,): (Option<String>,) = statement.bind(site).bind(after).bind(rows).one(conn).await?;
    Ok(last)
}

/// What does not agree among the rows of a step after one id and up to another.
pub(super) async fn suspects(
    conn: Conn<'_>,
    site: SiteId,
    step: Step,
    (after, upto): (&str, &str),
    now: Time,
    limit: u32,
) -> Result<Vec<Suspect>> {
    match step {
        Step::Subscriptions => subscriptions(conn, site, (after, upto), now, limit).await,
        Step::Members => members(conn, site, (after, upto), now, limit).await,
        Step::Strays => strays(conn, site, (after, upto), limit).await,
        Step::Disputes => disputes(conn, site, (after, upto), limit).await,
    }
}

struct Lost(Suspect);

impl FromRow for Lost {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let subscription = Box::new(Subscription::from_row(row)?);
        Ok(Self(Suspect::Dispute {
            id: row.take()?,
            created_at: row.take()?,
            amount: row.take()?,
            currency: row.take()?,
            subscription,
        }))
    }
}

async fn disputes(conn: Conn<'_>, site: SiteId, (after, upto): (&str, &str), limit: u32) -> Result<Vec<Suspect>> {
    let rows: Vec<Lost> = sql!(concat!(
        "SELECT ",
        subscription_columns!(),
        ", d.id, d.created_at, d.amount, d.currency
         FROM stripe_dispute d JOIN subscription s ON s.site = d.site AND s.external_id IS NOT NULL AND s.external_id = d.paid_for
         WHERE d.site = $1 AND d.id > $2 AND d.id <= $3 AND d.status = 'lost' AND s.refunded_at IS NULL AND s.status IN ",
        live_statuses!(),
        " ORDER BY d.id LIMIT $4"
    ))
    .bind(site)
    .bind(after)
    .bind(upto)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|Lost(suspect)| suspect).collect())
}

/// Whether any plan of a subscription `$s` opens anything: what its owner has said to open nothing lets nobody in, and is
/// bought beside what does.
macro_rules! opens_something {
    ($s:literal) => {
        concat!(
            "(NOT EXISTS (SELECT 1 FROM plan p WHERE p.site = ",
            $s,
            ".site AND p.id = ",
            $s,
            ".plan_id AND p.opens = 'nothing') OR EXISTS (SELECT 1 FROM subscription_item i JOIN plan p ON p.site = i.site
              AND p.id = i.plan_id WHERE i.site = ",
            $s,
            ".site AND i.subscription_id = ",
            $s,
            ".id AND p.opens <> 'nothing'))"
        )
    };
}

struct Live(Suspect);

impl FromRow for Live {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let subscription = Box::new(Subscription::from_row(row)?);
        Ok(Self(Suspect::Subscription { subscription, is_paid: row.take()?, others: row.take()? }))
    }
}

async fn subscriptions(
    conn: Conn<'_>,
    site: SiteId,
    (after, upto): (&str, &str),
    now: Time,
    limit: u32,
) -> Result<Vec<Suspect>> {
    let rows: Vec<Live> = sql!(concat!(
        "SELECT * FROM (SELECT ",
        subscription_columns!(),
        ", (SELECT m.is_paid FROM member m WHERE m.site = s.site AND m.id = s.member_id) AS is_held, (SELECT count(*) FROM subscription o
            WHERE o.site = s.site AND o.member_id = s.member_id AND o.id < s.id AND o.external_id IS NOT NULL
              AND (o.plan_id = s.plan_id OR ",
        opens_something!("o"),
        " AND ",
        opens_something!("s"),
        ") AND ",
        goes_on!("o"),
        ") AS n_others, ",
        goes_on!("s"),
        " AS is_going_on, ",
        opens_something!("s"),
        " AS opens_something
         FROM subscription s WHERE s.site = $1 AND s.id > $2 AND s.id <= $3 AND s.external_id IS NOT NULL AND s.period_end IS NOT NULL
           AND s.status IN ",
        live_statuses!(),
        ") AS live
         WHERE wanted = 'canceled' OR is_going_on AND n_others > 0
            OR status IN ('active', 'trialing')
               AND (NOT is_held AND opens_something OR refunded_at IS NOT NULL AND (refunded_until IS NULL OR refunded_until > $4))
         ORDER BY id LIMIT $5"
    ))
    .bind(site)
    .bind(after)
    .bind(upto)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|Live(suspect)| suspect).collect())
}

/// As `subscriptions::store::recount` counts.
async fn members(
    conn: Conn<'_>,
    site: SiteId,
    (after, upto): (&str, &str),
    now: Time,
    limit: u32,
) -> Result<Vec<Suspect>> {
    let rows: Vec<(MemberId,)> = sql!(
        "SELECT m.id FROM member m
         WHERE m.site = $1 AND m.status = 'paid' AND m.id > $2 AND m.id <= $3
           AND NOT EXISTS (SELECT 1 FROM subscription s
                           WHERE s.site = m.site AND s.member_id = m.id
                             AND (s.status IN ('active', 'trialing', 'past_due')
                                  OR s.status IN ('paused', 'canceled') AND s.period_end > $4)
                             AND (s.refunded_at IS NULL OR s.refunded_until <= $4))
         ORDER BY m.id LIMIT $5"
    )
    .bind(site)
    .bind(after)
    .bind(upto)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| Suspect::Member(id)).collect())
}

async fn strays(conn: Conn<'_>, site: SiteId, (after, upto): (&str, &str), limit: u32) -> Result<Vec<Suspect>> {
    let rows: Vec<(String, Option<String>, String, Option<MemberId>)> = sql!(concat!(
        "SELECT t.id, t.customer_id, t.status, m.id FROM stripe_stray t
         LEFT JOIN member m ON m.site = t.site AND m.email_key = t.email_key AND m.deleting_since IS NULL
         WHERE t.site = $1 AND t.id > $2 AND t.id <= $3
           AND t.status IN ",
        live_statuses!(),
        " ORDER BY t.id LIMIT $4"
    ))
    .bind(site)
    .bind(after)
    .bind(upto)
    .bind(limit)
    .all(conn)
    .await?;
    let stray = |(id, customer, status, member)| Suspect::Stray { id, customer, status, member };
    Ok(rows.into_iter().map(stray).collect())
}
