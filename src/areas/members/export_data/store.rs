//! The SQL of what is stored about a person: each row as one JSON object with the names of its columns.

use usher_db::{Conn, Result, sql_both};

use super::rows::Section;
use crate::values::SiteId;

/// Sections: name, whether by address, table, what says whose they are (`$1` is the site, `$2` the member or the address), an expression that tells its
/// rows apart, the columns that are given, and what is added to explain an id.
macro_rules! sections {
    ($($name:literal $by_address:literal $table:literal $whose:literal $key:literal
       [$first:literal $(, $column:literal)*] $(+ $more:literal $expression:literal)?;)*) => {
        /// Every section, in the order of the file.
        pub const SECTIONS: &[Section] = &[$(Section {
            name: $name, table: $table, columns: &[$first $(, $column)*], by_address: $by_address,
        }),*];

        /// Rows of a section after one: what tells each apart, and the row.
        pub async fn rows(
            conn: Conn<'_>,
            site: SiteId,
            section: &str,
            whose: &str,
            after: &str,
            limit: u32,
        ) -> Result<Vec<(String, String)>> {
            let statement = match section {
                $($name => {
                    macro_rules! text {
                        ($function:literal, $cast:literal) => {
                            concat!(
                                "SELECT ", $key, ", ", $function, "('", $first, "', t.", $first,
                                $(", '", $column, "', t.", $column,)*
                                $(", '", $more, "', ", $expression,)?
                                ")", $cast, " FROM ", $table, " t WHERE t.site = $1 AND ", $whose, " AND ", $key,
                                " > $3 ORDER BY ", $key, " LIMIT $4"
                            )
                        };
                    }
                    sql_both!(sqlite: text!("json_object", ""), postgres: text!("json_build_object", "::text"))
                })*
                _ => return Ok(Vec::new()),
            };
            statement.bind(site).bind(whose).bind(after).bind(limit).all(conn).await
        }
    };
}

sections! {
    "member" false "member" "t.id = $2" "t.id"
        ["id", "email", "name", "note", "status", "external_id", "metadata", "free_since", "free_until", "trial_since",
         "trial_until", "is_paid", "paid_until", "deleting_since", "created_at", "updated_at"];
    "formerAddresses" false "former_address" "t.member_id = $2" "t.email_key || ' ' || t.held_as" ["email", "left_at"];
    "tags" false "member_tag" "t.member_id = $2" "t.tag" ["tag"];
    "groups" false "group_place" "t.member_id = $2" "t.group_id" ["group_id", "added_at"]
        + "group_name" "(SELECT g.name FROM member_group g WHERE g.site = t.site AND g.id = t.group_id)";
    "entitlements" false "entitlement" "t.member_id = $2" "t.bundle_id"
        ["id", "bundle_id", "source", "granted_at", "expires_at", "revoked_at", "created_at", "updated_at"]
        + "bundle_name" "(SELECT b.name FROM bundle b WHERE b.site = t.site AND b.id = t.bundle_id)";
    "orders" false "granted_order" "t.member_id = $2" "t.order_id"
        ["order_id", "bundle_id", "granted_at", "expires_at", "revoked_at"];
    "subscriptions" false "subscription" "t.member_id = $2" "t.id"
        ["id", "plan_id", "status", "started_at", "period_start", "period_end", "past_due_since", "refunded_at",
         "refunded_until", "cancel_at", "canceled_at", "ended_at", "trial_end", "resumes_at", "source", "reference",
         "external_id", "customer_id", "payment_intent", "needs_card", "wanted", "resume_wanted", "synced_at", "created_at", "updated_at"]
        + "plan_name" "(SELECT p.name FROM plan p WHERE p.site = t.site AND p.id = t.plan_id)";
    "subscriptionItems" false "subscription_item"
        "t.subscription_id IN (SELECT s.id FROM subscription s WHERE s.site = $1 AND s.member_id = $2)"
        "t.subscription_id || ' ' || CAST(t.position AS TEXT)" ["subscription_id", "external_id", "plan_id", "quantity"]
        + "plan_name" "(SELECT p.name FROM plan p WHERE p.site = t.site AND p.id = t.plan_id)";
    "paidTimes" false "paid_span"
        "t.subscription_id IN (SELECT s.id FROM subscription s WHERE s.site = $1 AND s.member_id = $2)"
        "t.subscription_id || ' ' || CAST(t.position AS TEXT)"
        ["subscription_id", "plan_id", "starts_at", "ends_at", "invoice", "paid", "refunded"]
        + "plan_name" "(SELECT p.name FROM plan p WHERE p.site = t.site AND p.id = t.plan_id)";
    "salePayments" false "sale_payment"
        "t.subscription_id IN (SELECT s.id FROM subscription s WHERE s.site = $1 AND s.member_id = $2)"
        "t.subscription_id" ["subscription_id", "intent_id", "amount", "amount_refunded", "currency", "paid_at"];
    "disputes" false "stripe_dispute"
        "t.paid_for IN (SELECT s.external_id FROM subscription s WHERE s.site = $1 AND s.member_id = $2)"
        "t.id" ["id", "status", "amount", "currency", "reason", "invoice", "paid_for", "created_at"];
    "checkouts" false "checkout" "t.member_id = $2" "t.id"
        ["id", "plan_id", "session_id", "status", "url", "expires_at", "created_at", "updated_at"];
    "stripeCustomers" false "stripe_customer" "t.member_id = $2" "t.id" ["id", "created_at"];
    "stripeClaims" false "stripe_claim" "t.member_id = $2" "t.external_id" ["external_id", "created_at"];
    "invoices" false "invoice" "t.member_id = $2" "t.id"
        ["id", "external_id", "customer_id", "subscription_id", "number", "status", "currency", "subtotal", "tax", "total",
         "amount_due", "amount_paid", "amount_refunded", "lines", "hosted_url", "pdf_url", "period_start", "period_end",
         "paid_at", "created_at", "synced_at"];
    "refunds" false "invoice_refund"
        "t.invoice_id IN (SELECT i.id FROM invoice i WHERE i.site = $1 AND i.member_id = $2)"
        "t.id" ["id", "invoice_id", "amount", "external_id", "created_at"];
    "watched" false "watch" "t.member_id = $2" "t.video_id"
        ["video_id", "position_s", "furthest_s", "completed_at", "created_at", "updated_at"]
        + "video_title" "(SELECT v.title FROM video v WHERE v.site = t.site AND v.id = t.video_id)";
    "comments" false "comment" "t.member_id = $2" "t.id" ["id", "video_id", "text", "created_at"]
        + "video_title" "(SELECT v.title FROM video v WHERE v.site = t.site AND v.id = t.video_id)";
    "emails" false "email" "t.member_id = $2" "t.id"
        ["id", "request_id", "address", "kind", "subject", "status", "reason", "reply", "attempts", "in_doubt", "message_id",
         "created_at", "updated_at", "sent_at"];
    "signInLinks" false "login_link" "t.member_id = $2" "t.id" ["id", "redirect", "created_at", "expires_at", "used_at"];
    "blocks" true "block" "t.email_key = $2" "t.email_key"
        ["id", "email", "strength", "wish", "source", "note", "vendor_code", "first_seen", "updated_at"];
    "blockClaims" true "block_claim" "t.email_key = $2" "t.email_key || ' ' || CAST(t.import AS TEXT)"
        ["strength", "source", "note", "vendor_code", "first_seen"];
    "unknownSubscriptions" true "stripe_stray" "t.email_key = $2" "t.id"
        ["id", "customer_id", "status", "price_id", "seen_at"];
    "activity" false "activity" "t.member_id = $2" "t.id"
        ["id", "at", "actor", "surface", "tool", "args", "status", "code", "error", "changes"];
}
