//! The SQL of what is stored about a person: each row as one JSON object with the names of its columns.

use usher_db::{Conn, Result, sql_both};

use super::rows::Section;
use crate::values::SiteId;

/// Sections: name, whether by address, table, the column that is compared with whose it is, an expression that tells its
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
                                ")", $cast, " FROM ", $table, " t WHERE t.site = $1 AND t.", $whose, " = $2 AND ", $key,
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
    "member" false "member" "id" "t.id"
        ["id", "email", "name", "note", "status", "external_id", "metadata", "free_since", "free_until", "trial_since",
         "trial_until", "is_paid", "paid_until", "deleting_since", "created_at", "updated_at"];
    "formerAddresses" false "former_address" "member_id" "t.email_key || ' ' || t.held_as" ["email", "left_at"];
    "tags" false "member_tag" "member_id" "t.tag" ["tag"];
    "groups" false "group_place" "member_id" "t.group_id" ["group_id", "added_at"]
        + "group_name" "(SELECT g.name FROM member_group g WHERE g.site = t.site AND g.id = t.group_id)";
    "entitlements" false "entitlement" "member_id" "t.bundle_id"
        ["id", "bundle_id", "source", "granted_at", "expires_at", "revoked_at", "created_at", "updated_at"]
        + "bundle_name" "(SELECT b.name FROM bundle b WHERE b.site = t.site AND b.id = t.bundle_id)";
    "orders" false "granted_order" "member_id" "t.order_id"
        ["order_id", "bundle_id", "granted_at", "expires_at", "revoked_at"];
    "subscriptions" false "subscription" "member_id" "t.id"
        ["id", "plan_id", "status", "started_at", "period_start", "period_end", "past_due_since", "refunded_at",
         "refunded_until", "cancel_at", "canceled_at", "ended_at", "trial_end", "resumes_at", "source", "reference",
         "external_id", "customer_id", "payment_intent", "needs_card", "wanted", "resume_wanted", "synced_at", "created_at", "updated_at"]
        + "plan_name" "(SELECT p.name FROM plan p WHERE p.site = t.site AND p.id = t.plan_id)";
    "checkouts" false "checkout" "member_id" "t.id"
        ["id", "plan_id", "session_id", "status", "url", "expires_at", "created_at", "updated_at"];
    "stripeCustomers" false "stripe_customer" "member_id" "t.id" ["id", "created_at"];
    "stripeClaims" false "stripe_claim" "member_id" "t.external_id" ["external_id", "created_at"];
    "invoices" false "invoice" "member_id" "t.id"
        ["id", "external_id", "customer_id", "subscription_id", "number", "status", "currency", "subtotal", "tax", "total",
         "amount_due", "amount_paid", "amount_refunded", "lines", "hosted_url", "pdf_url", "period_start", "period_end",
         "paid_at", "created_at", "synced_at"];
    "watched" false "watch" "member_id" "t.video_id"
        ["video_id", "position_s", "furthest_s", "completed_at", "created_at", "updated_at"]
        + "video_title" "(SELECT v.title FROM video v WHERE v.site = t.site AND v.id = t.video_id)";
    "comments" false "comment" "member_id" "t.id" ["id", "video_id", "text", "created_at"]
        + "video_title" "(SELECT v.title FROM video v WHERE v.site = t.site AND v.id = t.video_id)";
    "emails" false "email" "member_id" "t.id"
        ["id", "request_id", "address", "kind", "subject", "status", "reason", "reply", "attempts", "in_doubt", "message_id",
         "created_at", "updated_at", "sent_at"];
    "signInLinks" false "login_link" "member_id" "t.id" ["id", "redirect", "created_at", "expires_at", "used_at"];
    "blocks" true "block" "email_key" "t.email_key"
        ["id", "email", "strength", "wish", "source", "note", "vendor_code", "first_seen", "updated_at"];
    "blockClaims" true "block_claim" "email_key" "t.email_key || ' ' || CAST(t.import AS TEXT)"
        ["strength", "source", "note", "vendor_code", "first_seen"];
    "unknownSubscriptions" true "stripe_stray" "email_key" "t.id"
        ["id", "customer_id", "status", "price_id", "seen_at"];
    "activity" false "activity" "member_id" "t.id"
        ["id", "at", "actor", "surface", "tool", "args", "status", "code", "error", "changes"];
}
