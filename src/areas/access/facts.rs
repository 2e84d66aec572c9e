//! What access is decided on.

use std::time::Duration;

use poem_openapi::Enum;
use usher_db::{FromRow, Row};

use crate::{
    areas::{
        members::{Member, Span},
        plans::Opens,
        videos::{Level, Visibility},
    },
    values::{BundleId, PlanId, SubscriptionId, Time, VideoId},
};

/// What somebody wants to see.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Member content in general.
    Members,
    /// A video.
    Video(VideoId),
    /// What is in a bundle.
    Bundle(BundleId),
}

impl Wanted {
    /// The video, if it is one.
    pub fn video(&self) -> Option<&VideoId> {
        match self {
            Self::Video(video) => Some(video),
            Self::Members | Self::Bundle(_) => None,
        }
    }
}

/// What is wanted, as far as access goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Whether it is shown at all.
    pub visibility: Visibility,
    /// While scheduled: from then on.
    pub visible_from: Option<Time>,
    /// While scheduled: until then.
    pub visible_until: Option<Time>,
    /// Who it is for.
    pub level: Level,
    /// The plans that it is limited to; none: every plan.
    pub plans: Vec<PlanId>,
    /// The bundles that hold it, those that are on sale first.
    pub bundles: Vec<BundleId>,
}

impl Content {
    /// Member content in general.
    pub fn members() -> Self {
        Self {
            visibility: Visibility::Published,
            visible_from: None,
            visible_until: None,
            level: Level::Members,
            plans: Vec::new(),
            bundles: Vec::new(),
        }
    }

    /// What is in a bundle.
    pub fn bundle(id: BundleId) -> Self {
        Self { level: Level::Bundle, bundles: vec![id], ..Self::members() }
    }
}

/// How a subscription stands, in Stripe's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Paid.
    Active,
    /// In the trial that Stripe gives.
    Trialing,
    /// A payment failed and is tried again.
    PastDue,
    /// Every payment failed.
    Unpaid,
    /// Bills nothing for now.
    Paused,
    /// Ended, or ends with the period that is paid.
    Canceled,
    /// The first payment is open: a checkout was not completed.
    Incomplete,
    /// The first payment never came.
    IncompleteExpired,
    /// A word of Stripe's that this version of Usher does not know. It opens nothing.
    Unknown,
}

impl SubscriptionStatus {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Active, "active"),
        (Self::Trialing, "trialing"),
        (Self::PastDue, "past_due"),
        (Self::Unpaid, "unpaid"),
        (Self::Paused, "paused"),
        (Self::Canceled, "canceled"),
        (Self::Incomplete, "incomplete"),
        (Self::IncompleteExpired, "incomplete_expired"),
        (Self::Unknown, "unknown"),
    ];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(status, _)| *status == self).map_or("", |(_, text)| text)
    }

    /// Reads what was stored.
    pub fn stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == text).map(|(status, _)| status)
    }
}

/// A plan that somebody pays for.
#[derive(Clone, Debug, PartialEq)]
pub struct PaidPlan {
    /// Its id.
    pub id: PlanId,
    /// What it is called.
    pub name: String,
    /// What it opens.
    pub opens: Opens,
    /// Whether nobody has said yet what it opens.
    pub needs_review: bool,
}

impl PaidPlan {
    /// Whether whoever pays for it may see content of level `members`.
    pub fn includes(&self, content: &Content) -> bool {
        match self.opens {
            Opens::Nothing => false,
            Opens::All => content.plans.is_empty() || content.plans.contains(&self.id),
            Opens::Listed => content.plans.contains(&self.id),
        }
    }
}

/// A time that was paid and not given back.
#[derive(Clone, Debug, PartialEq)]
pub struct PaidTime {
    /// For which plan.
    pub plan: PaidPlan,
    /// From then on.
    pub starts_at: Time,
    /// Until then.
    pub ends_at: Time,
}

/// What access asks of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// What it pays for, or would if it were paid: all of its items.
    pub plans: Vec<PaidPlan>,
    /// What was paid for it; only while a payment is overdue.
    pub paid: Vec<PaidTime>,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// It counts from then on.
    pub started_at: Time,
    /// Paid until then.
    pub period_end: Option<Time>,
    /// When the first of the payments that have failed in a row was due.
    pub past_due_since: Option<Time>,
    /// Whether it is at Stripe.
    pub is_linked: bool,
    /// When it was compared with Stripe last.
    pub synced_at: Option<Time>,
    /// Whether it is paused because its trial at Stripe ended without a card.
    pub needs_card: bool,
    /// When it will end, if that is settled.
    pub cancel_at: Option<Time>,
    /// When all that was paid for a period was given back, and the end of that period if it has one.
    pub refunded: Option<(Time, Option<Time>)>,
}

/// What access asks of an entitlement.
#[derive(Clone, Debug, PartialEq)]
pub struct Entitlement {
    /// To what.
    pub bundle: BundleId,
    /// From when on.
    pub granted_at: Time,
    /// Until when; `None` for life.
    pub expires_at: Option<Time>,
    /// When it was taken away.
    pub revoked_at: Option<Time>,
}

impl Entitlement {
    /// Whether it holds at a moment.
    pub fn holds(&self, at: Time) -> bool {
        self.granted_at <= at
            && self.expires_at.is_none_or(|end| at < end)
            && self.revoked_at.is_none_or(|end| at < end)
    }
}

/// Everything that access is decided on.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// What is wanted.
    pub content: Content,
    /// Free access that was given.
    pub free_access: Option<Span>,
    /// A trial that the site gave.
    pub trial: Option<Span>,
    /// The member's subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// The member's entitlements.
    pub entitlements: Vec<Entitlement>,
    /// How long an overdue payment is waited for.
    pub grace: Duration,
}

impl Facts {
    /// Those of somebody who has nothing.
    pub fn none(content: Content, grace: Duration) -> Self {
        let (subscriptions, entitlements) = (Vec::new(), Vec::new());
        Self { content, free_access: None, trial: None, subscriptions, entitlements, grace }
    }
}

/// A member with the facts of access.
pub(super) struct Known {
    pub(super) member: Member,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) entitlements: Vec<Entitlement>,
}

impl Known {
    pub(super) fn facts(&self, content: Content, grace: Duration) -> Facts {
        Facts {
            content,
            free_access: self.member.free_access,
            trial: self.member.trial,
            subscriptions: self.subscriptions.clone(),
            entitlements: self.entitlements.clone(),
            grace,
        }
    }
}

impl FromRow for Known {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let member = Member::from_row(row)?;
        let wrong = |error: serde_json::Error| usher_db::Error::Decode(error.into());
        let subscriptions: Vec<SubscriptionRow> = serde_json::from_str(&row.take::<String>()?).map_err(wrong)?;
        let entitlements: Vec<EntitlementRow> = serde_json::from_str(&row.take::<String>()?).map_err(wrong)?;
        Ok(Self {
            member,
            subscriptions: subscriptions.into_iter().map(subscription).collect::<usher_db::Result<_>>()?,
            entitlements: entitlements.into_iter().map(entitlement).collect(),
        })
    }
}

/// A member with the facts of access, and the video that is asked about, if there is one.
pub(super) struct Asked {
    pub(super) known: Known,
    pub(super) content: Option<Content>,
}

impl FromRow for Asked {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self { known: Known::from_row(row)?, content: content(row)? })
    }
}

/// What a refusal may come of besides the member's own facts, which is looked at only where there is something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubts {
    /// A checkout was left open.
    pub(super) checkout: bool,
    /// Somebody has the same name, and what may let them see it.
    pub(super) namesake: bool,
    /// Somebody has nearly the same address, or pays with the member's.
    pub(super) twin: bool,
    /// Stripe has a subscription that is paid with the member's address, and nobody knows whose it is.
    pub(super) unlinked: bool,
}

/// What is asked about, with doubts.
pub(super) struct Doubted {
    pub(super) asked: Asked,
    pub(super) doubts: Doubts,
}

impl FromRow for Doubted {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let asked = Asked::from_row(row)?;
        let doubts = Doubts { checkout: row.take()?, namesake: row.take()?, twin: row.take()?, unlinked: row.take()? };
        Ok(Self { asked, doubts })
    }
}

impl FromRow for Content {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        content(row)?.ok_or_else(|| usher_db::Error::Decode("a video has no level".into()))
    }
}

/// What access asks of a video, if there is one in the row.
fn content(row: &mut Row<'_>) -> usher_db::Result<Option<Content>> {
    let (level, visibility): (Option<String>, Option<String>) = (row.take()?, row.take()?);
    let (visible_from, visible_until) = (row.take()?, row.take()?);
    let (plans, bundles): (Option<String>, Option<String>) = (row.take()?, row.take()?);
    let (Some(level), Some(visibility)) = (level, visibility) else { return Ok(None) };
    let plans = plans.iter().flat_map(|plans| plans.split(',')).map(PlanId::parse).collect::<Result<_, _>>();
    let bundles = bundles.iter().flat_map(|all| all.split(',')).map(BundleId::parse).collect::<Result<_, _>>();
    Ok(Some(Content {
        visibility: Visibility::stored(&visibility)?,
        visible_from,
        visible_until,
        level: Level::stored(&level)?,
        plans: plans.map_err(|error| usher_db::Error::Decode(error.into()))?,
        bundles: bundles.map_err(|error| usher_db::Error::Decode(error.into()))?,
    }))
}

/// id, plan, status, started_at, period_end, past_due_since, whether it is linked, synced_at, refunded_at,
/// refunded_until, cancel_at, needs_card, the plans of its items, what was paid
type SubscriptionRow = (
    SubscriptionId,
    PlanId,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    bool,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    bool,
    Vec<PlanRow>,
    Vec<PaidRow>,
);

/// plan, what it opens, what it is called, needs_review
type PlanRow = (PlanId, Option<String>, Option<String>, bool);

/// The same, which a price that no plan here has does not have; starts_at, ends_at
type PaidRow = (Option<PlanId>, Option<String>, Option<String>, bool, i64, i64);

fn paid_plan((id, opens, name, needs_review): PlanRow) -> usher_db::Result<PaidPlan> {
    let opens = opens.as_deref().map_or(Ok(Opens::All), Opens::stored)?;
    Ok(PaidPlan { name: name.unwrap_or_else(|| "The plan".into()), id, opens, needs_review })
}

fn paid_time((id, opens, name, needs_review, starts_at, ends_at): PaidRow) -> Option<usher_db::Result<PaidTime>> {
    let plan = paid_plan((id?, opens, name, needs_review));
    let (starts_at, ends_at) = (Time::from_micros(starts_at), Time::from_micros(ends_at));
    Some(plan.map(|plan| PaidTime { plan, starts_at, ends_at }))
}

fn subscription(row: SubscriptionRow) -> usher_db::Result<Subscription> {
    let (
        id,
        plan,
        status,
        started_at,
        period_end,
        past_due_since,
        is_linked,
        synced_at,
        refunded_at,
        refunded_until,
        end,
        needs_card,
        plans,
        paid,
    ) = row;
    // Rows without items are of an older program, and are for their one plan.
    let plans = if plans.is_empty() { vec![(plan, None, None, false)] } else { plans };
    let known = SubscriptionStatus::stored(&status);
    let status =
        known.ok_or_else(|| usher_db::Error::Decode(format!("a subscription's status is {status:?}").into()))?;
    let time = |micros: Option<i64>| micros.map(Time::from_micros);
    Ok(Subscription {
        id,
        plans: plans.into_iter().map(paid_plan).collect::<usher_db::Result<_>>()?,
        paid: paid.into_iter().filter_map(paid_time).collect::<usher_db::Result<_>>()?,
        status,
        started_at: Time::from_micros(started_at),
        period_end: time(period_end),
        past_due_since: time(past_due_since),
        is_linked,
        synced_at: time(synced_at),
        needs_card,
        cancel_at: time(end),
        refunded: time(refunded_at).map(|at| (at, time(refunded_until))),
    })
}

/// bundle, granted_at, expires_at, revoked_at
type EntitlementRow = (BundleId, i64, Option<i64>, Option<i64>);

fn entitlement((bundle, granted_at, expires_at, revoked_at): EntitlementRow) -> Entitlement {
    Entitlement {
        bundle,
        granted_at: Time::from_micros(granted_at),
        expires_at: expires_at.map(Time::from_micros),
        revoked_at: revoked_at.map(Time::from_micros),
    }
}
