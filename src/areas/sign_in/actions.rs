use serde_json::json;
use usher_db::{Change, Tx};

use super::{
    keys,
    link::{self, LIFE},
    store::{self, NewLink},
};
use crate::{
    areas::{
        members::{Member, MemberRef, hold},
        sites::Site,
    },
    error::{Code, Error, Result},
    gate::Cx,
    values::{LinkId, MemberId, SiteId, SitePath, Time},
};

/// What stands for a token where nothing is made.
const DRY: &str = "dry-run";

/// Makes a link by which a member signs in once. Gives its address, and when it stops working.
pub async fn create(cx: &mut Cx, who: &MemberRef, redirect: Option<&SitePath>) -> Result<(Member, String, Time)> {
    let member = hold(cx, who).await?;
    let Places { public_url, .. } = Places::of(&cx.caller.site)?;
    let (site, now, app) = (cx.site(), cx.now, cx.app.clone());
    // What is missing is said now, and not when the member has pressed the button.
    keys::signer(cx.tx(), &app.sealer, site, now).await?;
    let id: LinkId = app.clock.id();
    let (token, hash) = link::generate(site);
    let expires_at = now + LIFE;
    let new = NewLink { id: &id, member: &member.id, hash: &hash, redirect, created_at: now, expires_at };
    store::insert(cx.conn(), site, &new).await?;
    cx.tx().note(Change::created("loginLink", id.as_str(), json!({ "member": member.id, "expiresAt": expires_at })));
    let token = if cx.dry_run { DRY } else { &token };
    Ok((member, format!("{public_url}/sign-in/{token}"), expires_at))
}

/// Forgets the links of a member whose address becomes another.
pub async fn forget(tx: &mut Tx, site: SiteId, member: &MemberId) -> Result<()> {
    store::forget(tx.conn(), site, member).await?;
    Ok(())
}

/// Where the pages of a site's sign-in are, and where they lead.
pub(super) struct Places {
    pub(super) public_url: String,
    pub(super) login_url: String,
}

impl Places {
    pub(super) fn of(site: &Site) -> Result<Self> {
        let login_url = site.settings.login_url.clone().ok_or_else(|| {
            let text = format!(
                "The site {} has not said where a member who has signed in goes on. Its operator does: usher sites update \
                 --site {} --login-url https://…",
                site.name, site.id
            );
            Error::new(Code::LoginUrlNotSet, text)
        })?;
        let public_url = site.url().ok_or_else(|| {
            let text = format!(
                "The site {} has neither a host name nor an address of its pages, so no link can lead there. Its operator \
                 says it: usher sites update --site {} --public-url https://…",
                site.name, site.id
            );
            Error::new(Code::PublicUrlMissing, text)
        })?;
        Ok(Self { public_url, login_url })
    }
}
