//! The SQL of plans.

use usher_db::{Conn, Result, sql};

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
                           is_public, archived_at, product_id, price_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
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
    .bind(plan.archived_at)
    .bind(plan.product_id.as_deref())
    .bind(plan.price_id.as_deref())
    .bind(plan.created_at)
    .bind(plan.updated_at)
    .run(conn)
    .await
}
