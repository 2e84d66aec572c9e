//! What a link does.

use serde_json::json;
use usher_db::Change;

use super::link::{Links, Named};
use crate::{
    app::App,
    areas::{
        activity::{self, Actor, Record, Surface},
        blocklist::{self, Connect, Reason, Word},
        members::{
            self,
            former::{self, Mailed},
        },
        sites::{self, Site},
    },
    error::Result,
    values::{Email, MemberId, RequestId},
};

/// Where what the block list has from links comes from.
const SOURCE: &str = "unsubscribe link";

/// Whom a link is about.
pub struct Reader {
    /// Whose mail it was.
    pub site: Site,
    /// To which address.
    pub email: Email,
    /// To which member, if the link says so.
    member: Option<MemberId>,
}

/// Whom a link's token is about; `None` if it is none of this installation's.
pub async fn reader(app: &App, token: &str) -> Result<Option<Reader>> {
    let Some(Named { site, member, email }) = Links::load(app.db.read()).await?.read(token) else { return Ok(None) };
    let site = sites::store::get(app.db.read(), site).await?;
    Ok(site.map(|site| Reader { site, email, member }))
}

impl Reader {
    /// The member that the mail went to, as far as anybody knows.
    async fn member(&self, conn: &mut impl Connect) -> Result<Option<MemberId>> {
        let mailed = self.member.as_ref().map_or(Mailed::LongAgo, Mailed::Member);
        Ok(former::mailed_at(conn, self.site.id, self.email.key(), mailed).await?)
    }
}

/// Whether the person gets no mail of the site's, by an own wish or something stronger: neither at the address that the
/// mail went to, nor at the present one.
pub async fn is_unsubscribed(app: &App, reader: &Reader) -> Result<bool> {
    let person = match reader.member(&mut &app.db).await? {
        Some(id) => members::store::by_id(app.db.read(), reader.site.id, &id).await?,
        None => None,
    };
    let present = person.map(|member| member.email_key());
    let keys: Vec<_> = [Some(reader.email.key().to_owned()), present].into_iter().flatten().collect();
    let found = blocklist::find(&mut &app.db, reader.site.id, &keys).await?;
    Ok(keys.iter().all(|key| found.get(key).is_some_and(|entry| entry.reason >= Reason::Unsubscribe)))
}

/// Stops the site's mail to the address. Doing it again does nothing, and nothing stronger is weakened.
pub async fn unsubscribe(app: &App, reader: &Reader, request: &RequestId) -> Result<()> {
    let (site, email) = (reader.site.id, &reader.email);
    let mut tx = app.db.begin().await?;
    let person = match reader.member(&mut tx).await? {
        Some(id) => former::hold_present(&mut tx, site, &id).await?,
        None => None,
    };
    let present = person.as_ref().map(|member| Email::stored(&member.email));
    let word = |email| Word {
        email,
        reason: Reason::Unsubscribe,
        source: SOURCE,
        note: None,
        vendor_code: None,
        first_seen: None,
    };
    let words: Vec<_> = [Some(email), present.as_ref()].into_iter().flatten().map(word).collect();
    let became = blocklist::block(&mut tx, &app.clock, site, &words).await?;
    let changes: Vec<Change> = became.values().filter_map(|became| became.change().cloned()).collect();
    if changes.is_empty() {
        // What stands there is as strong; the wish behind it is kept.
        return Ok(tx.commit().await?);
    }
    let member = match person {
        Some(member) => Some(member.id),
        None => {
            let keys = [email.key().to_owned()].into_iter().collect();
            let found = members::store::of_keys(tx.conn(), site, keys).await?;
            found.into_iter().next().map(|(id, _)| id)
        }
    };
    let record = Record {
        args: Some(json!({ "source": SOURCE }).to_string()),
        member,
        changes: Record::changes_of(&changes),
        ..Record::done(site, request.clone(), app.clock.now(), (Actor::Member, Surface::Http), "unsubscribe")
    };
    activity::store::insert(tx.conn(), [(&record, 1)]).await?;
    Ok(tx.commit().await?)
}
