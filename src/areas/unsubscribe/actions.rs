//! What a link does.

use serde_json::json;
use usher_db::Change;

use super::link::Links;
use crate::{
    app::App,
    areas::{
        activity::{self, Actor, Record, Surface},
        blocklist::{self, Reason, Word},
        members,
        sites::{self, Site},
    },
    error::Result,
    values::{Email, RequestId},
};

/// Where what the block list has from links comes from.
const SOURCE: &str = "unsubscribe link";

/// Whom a link is about.
pub struct Reader {
    /// Whose mail it was.
    pub site: Site,
    /// To whom.
    pub email: Email,
}

/// Whom a link's token is about; `None` if it is none of this installation's.
pub async fn reader(app: &App, token: &str) -> Result<Option<Reader>> {
    let Some((site, email)) = Links::load(app.db.read()).await?.read(token) else { return Ok(None) };
    let site = sites::store::get(app.db.read(), site).await?;
    Ok(site.map(|site| Reader { site, email }))
}

/// Whether the address gets no mail of the site's, by a wish of its owner's or something stronger.
pub async fn is_unsubscribed(app: &App, reader: &Reader) -> Result<bool> {
    let key = reader.email.key().to_owned();
    let found = blocklist::find(&mut &app.db, reader.site.id, std::slice::from_ref(&key)).await?;
    Ok(found.get(&key).is_some_and(|entry| entry.reason >= Reason::Unsubscribe))
}

/// Stops the site's mail to the address. Doing it again does nothing, and nothing stronger is weakened.
pub async fn unsubscribe(app: &App, reader: &Reader, request: &RequestId) -> Result<()> {
    let Reader { site, email } = reader;
    let (site, key) = (site.id, email.key());
    let word = Word { email, reason: Reason::Unsubscribe, source: SOURCE, note: None, vendor_code: None };
    let mut tx = app.db.begin().await?;
    let became = blocklist::block(&mut tx, &app.clock, site, &[word]).await?;
    let changes: Vec<Change> = became.values().filter_map(|became| became.change().cloned()).collect();
    if changes.is_empty() {
        return Ok(tx.rollback().await?);
    }
    let keys = [key.to_owned()].into_iter().collect();
    let member = members::store::of_keys(tx.conn(), site, keys).await?.into_iter().next();
    let record = Record {
        args: Some(json!({ "source": SOURCE }).to_string()),
        member: member.map(|(id, _)| id),
        changes: Record::changes_of(&changes),
        ..Record::done(site, request.clone(), app.clock.now(), (Actor::Member, Surface::Http), "unsubscribe")
    };
    activity::store::insert(tx.conn(), [(&record, 1)]).await?;
    Ok(tx.commit().await?)
}
