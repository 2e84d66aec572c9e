//! The SQL of templates.

use usher_db::{Conn, Result, Statement, sql, sql_both};

use super::types::Template;
use crate::values::{SiteId, Slug, TemplateId};

/// Templates before an id, newest first.
pub(super) async fn list(conn: Conn<'_>, site: SiteId, before: &str, limit: u32) -> Result<Vec<Template>> {
    sql!(
        "SELECT id, name, subject, text, html, variables, created_at, updated_at FROM email_template
         WHERE site = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    )
    .bind(site)
    .bind(before)
    .bind(limit)
    .all(conn)
    .await
}

/// A template by id.
pub(super) async fn by_id(conn: Conn<'_>, site: SiteId, id: &TemplateId) -> Result<Option<Template>> {
    sql!(
        "SELECT id, name, subject, text, html, variables, created_at, updated_at FROM email_template
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// A template by name.
pub(super) async fn by_name(conn: Conn<'_>, site: SiteId, name: &Slug) -> Result<Option<Template>> {
    sql!(
        "SELECT id, name, subject, text, html, variables, created_at, updated_at FROM email_template
         WHERE site = $1 AND name = $2"
    )
    .bind(site)
    .bind(name)
    .optional(conn)
    .await
}

/// Holds the row of a template until the transaction ends.
pub(super) async fn hold(conn: Conn<'_>, site: SiteId, id: &TemplateId) -> Result<Option<Template>> {
    sql_both!(
        sqlite: "SELECT id, name, subject, text, html, variables, created_at, updated_at FROM email_template
                 WHERE site = $1 AND id = $2",
        postgres: "SELECT id, name, subject, text, html, variables, created_at, updated_at FROM email_template
                   WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Writes a new template; 0 if its name is taken.
pub(super) async fn insert(conn: Conn<'_>, site: SiteId, new: &Template) -> Result<u64> {
    let statement = sql!(
        "INSERT INTO email_template (site, id, name, subject, text, html, variables, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (site, name) DO NOTHING"
    );
    bind(statement, site, new).bind(new.created_at).bind(new.updated_at).run(conn).await
}

/// Writes what may change of a template; 0 if its new name is taken by another that was there before.
pub(super) async fn update(conn: Conn<'_>, site: SiteId, new: &Template) -> Result<u64> {
    let statement = sql!(
        "UPDATE email_template SET name = $3, subject = $4, text = $5, html = $6, variables = $7, updated_at = $8
         WHERE site = $1 AND id = $2
           AND NOT EXISTS (SELECT 1 FROM email_template o WHERE o.site = $1 AND o.name = $3 AND o.id <> $2)"
    );
    bind(statement, site, new).bind(new.updated_at).run(conn).await
}

fn bind(statement: Statement, site: SiteId, new: &Template) -> Statement {
    statement
        .bind(site)
        .bind(&new.id)
        .bind(&new.name)
        .bind(&new.subject)
        .bind(new.text.as_deref())
        .bind(new.html.as_deref())
        .bind(serde_json::to_string(&new.variables).expect("texts are JSON"))
}

/// Deletes a template.
pub(super) async fn delete(conn: Conn<'_>, site: SiteId, id: &TemplateId) -> Result<u64> {
    sql!("DELETE FROM email_template WHERE site = $1 AND id = $2").bind(site).bind(id).run(conn).await
}
