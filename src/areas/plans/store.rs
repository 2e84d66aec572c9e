//! The SQL of plans.

use usher_db::{Conn, Result, sql, sql_both};

use super::types::{Plan, plan_columns};
use crate::values::{PlanId, SiteId, search_key};

/// A plan by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &PlanId) -> Result<Option<Plan>> {
    sql!(concat!("SELECT ", plan_columns!(), " FROM plan WHERE site = $1 AND id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// A plan by its price at Stripe.
pub async fn by_price(conn: Conn<'_>, site: SiteId, price: &str) -> Result<Option<Plan>> {
    sql!(concat!("SELECT ", plan_columns!(), " FROM plan WHERE site = $1 AND price_id IS NOT NULL AND price_id = $2"))
        .bind(site)
        .bind(price)
        .optional(conn)
        .await
}

/// Adds a plan; 0 if there is one with its price at Stripe.
pub async fn insert(conn: Conn<'_>, site: SiteId, plan: &Plan) -> Result<u64> {
    sql!(
        "INSERT INTO plan (site, id, name, name_key, description, amount, currency, every, every_n, trial_days,
                           is_public, opens, needs_review, archived_at, product_id, price_id, created_at, updated_at, pricing)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (site, price_id) WHERE price_id IS NOT NULL DO NOTHING"
    )
    .bind(site)
    .bind(&plan.id)
    .bind(plan.name.as_str())
    .bind(search_key(plan.name.as_str()))
    .bind(plan.description.as_deref())
    .bind(plan.amount)
    .bind(plan.currency.to_ascii_lowercase())
    .bind(plan.every.as_str())
    .bind(plan.every_n)
    .bind(plan.trial_days)
    .bind(plan.public)
    .bind(plan.opens.as_str())
    .bind(plan.needs_review.is_some())
    .bind(plan.archived_at)
    .bind(plan.product_id.as_deref())
    .bind(plan.price_id.as_deref())
    .bind(plan.created_at)
    .bind(plan.updated_at)
    .bind(plan.pricing.map(super::types::Pricing::as_str))
    .run(conn)
    .await
}

/// Which plans.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only public or only private ones.
    pub public: Option<bool>,
    /// The archived ones too.
    pub with_archived: bool,
    /// Only those of which nobody has said yet what they open, or only the others.
    pub needs_review: Option<bool>,
    /// A pattern of LIKE with the escape `!`, for the name.
    pub pattern: Option<String>,
}

/// The plans before an id, newest first.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Plan>> {
    sql!(concat!(
        "SELECT ",
        plan_columns!(),
        " FROM plan WHERE site = $1 AND id < $2 AND (is_public = $3 OR $3 IS NULL) AND (archived_at IS NULL OR $4)
            AND (name_key LIKE $5 ESCAPE '!' OR $5 IS NULL) AND (needs_review = $6 OR $6 IS NULL)
          ORDER BY id DESC LIMIT $7"
    ))
    .bind(site)
    .bind(before)
    .bind(filter.public)
    .bind(filter.with_archived)
    .bind(filter.pattern.as_deref())
    .bind(filter.needs_review)
    .bind(limit)
    .all(conn)
    .await
}

/// The plans that have a price at Stripe.
pub async fn made_at_stripe(conn: Conn<'_>, site: SiteId) -> Result<Vec<(PlanId,)>> {
    sql!("SELECT id FROM plan WHERE site = $1 AND price_id IS NOT NULL ORDER BY price_id").bind(site).all(conn).await
}

/// A plan by id, held until the transaction ends.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &PlanId) -> Result<Option<Plan>> {
    macro_rules! text {
        ($hold:literal) => {
            concat!("SELECT ", plan_columns!(), " FROM plan WHERE site = $1 AND id = $2", $hold)
        };
    }
    sql_both!(sqlite: text!(""), postgres: text!(" FOR UPDATE")).bind(site).bind(id).optional(conn).await
}

/// Writes what may change of a plan.
pub async fn update(conn: Conn<'_>, site: SiteId, plan: &Plan) -> Result<u64> {
    sql!(
        "UPDATE plan SET name = $3, name_key = $4, description = $5, is_public = $6, trial_days = $7, archived_at = $8,
             updated_at = $9, opens = $10, needs_review = $11
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&plan.id)
    .bind(plan.name.as_str())
    .bind(search_key(plan.name.as_str()))
    .bind(plan.description.as_deref())
    .bind(plan.public)
    .bind(plan.trial_days)
    .bind(plan.archived_at)
    .bind(plan.updated_at)
    .bind(plan.opens.as_str())
    .bind(plan.needs_review.is_some())
    .run(conn)
    .await
}

/// Notes what a plan is at Stripe, unless that is known; not where another plan is that price.
pub async fn set_price(conn: Conn<'_>, site: SiteId, id: &PlanId, product: &str, price: &str) -> Result<u64> {
    sql!(
        "UPDATE plan SET product_id = $3, price_id = $4 WHERE site = $1 AND id = $2 AND price_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM plan other WHERE other.site = $1 AND other.price_id IS NOT NULL
                                AND other.price_id = $4)"
    )
    .bind(site)
    .bind(id)
    .bind(product)
    .bind(price)
    .run(conn)
    .await
}
