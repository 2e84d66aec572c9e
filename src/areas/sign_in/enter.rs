//! The page behind a link: what it shows, and what its button does.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use usher_db::Change;

use super::{
    actions::Places,
    jwt::Claims,
    keys,
    link::{self, Presented},
    store,
    types::Link,
};
use crate::{
    app::App,
    areas::{
        activity::{self, ActivityStatus, Actor, Record, Surface},
        sites::{self, Site},
    },
    error::{Code, Error, Result},
    values::{RequestId, SiteId, SitePath, Time},
};

/// How long a token is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// As the log names it.
const TOOL: &str = "members.signIn";

/// Somebody with the token of a link.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Whose members it is for.
    pub site: Site,
    /// What the token is of.
    pub link: Link,
    /// How it stands.
    pub standing: Standing,
    presented: Presented,
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lets its member in.
    Open,
    /// It has.
    Used,
    /// Its time is over.
    Expired,
    /// Its member is about to be no more.
    Gone,
}

impl Standing {
    fn of(link: &Link, now: Time) -> Self {
        match () {
            () if link.is_going => Self::Gone,
            () if link.used_at.is_some() => Self::Used,
            () if link.expires_at <= now => Self::Expired,
            () => Self::Open,
        }
    }

    /// Why it lets nobody in.
    fn code(self) -> Option<Code> {
        match self {
            Self::Open => None,
            Self::Used => Some(Code::LoginLinkUsed),
            Self::Expired => Some(Code::LoginLinkExpired),
            Self::Gone => Some(Code::MemberDeleting),
        }
    }
}

/// What pressing the button led to.
#[derive(Clone, Debug)]
pub enum Entered {
    /// The member is let in.
    In(HandOver),
    /// Not: another was quicker, or it is late.
    Not(Standing),
}

/// What the site is told.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// Where.
    pub login_url: String,
    /// The token, which is a secret.
    pub token: String,
}

/// Looks at the link of a token, which may be any text, on a host that may be a site's own. `None` tells nothing: there is
/// no such link, or not here.
pub async fn look(app: &App, host: Option<SiteId>, token: &str) -> Result<Option<Visit>> {
    let Some(presented) = link::parse(token) else { return Ok(None) };
    if host.is_some_and(|host| host != presented.site) {
        return Ok(None);
    }
    let Some(site) = sites::store::get(app.db.read(), presented.site).await? else { return Ok(None) };
    let Some(link) = store::by_hash(app.db.read(), site.id, &presented.hash).await? else { return Ok(None) };
    let standing = Standing::of(&link, app.clock.now());
    Ok(Some(Visit { site, link, standing, presented }))
}

/// Lets the member in, once: the link is used up, the sign-in recorded and the token made, all of it or nothing.
pub async fn enter(app: &Arc<App>, visit: Visit, request: RequestId) -> Result<Entered> {
    let app = app.clone();
    // On a task of its own: a browser that goes away leaves nothing half-done.
    tokio::spawn(async move {
        let started = std::time::Instant::now();
        let entered = try_enter(&app, &visit, &request, started).await;
        match &entered {
            Ok(Entered::In(_)) => {}
            Ok(Entered::Not(standing)) => record_refused(&app, &visit, *standing, request).await?,
            Err(error) => {
                let failed = matches!(error.code(), Code::Internal | Code::Unavailable);
                let status = if failed { ActivityStatus::Failed } else { ActivityStatus::Refused };
                app.log.write(record(&visit, request, app.clock.now(), (status, Some(error.code())))).await?;
            }
        }
        entered
    })
    .await
    .map_err(Error::internal)?
}

/// Records that somebody with the token of a link was not let in by it.
pub async fn record_refused(app: &App, visit: &Visit, standing: Standing, request: RequestId) -> Result<()> {
    let record = record(visit, request, app.clock.now(), (ActivityStatus::Refused, standing.code()));
    app.log.write(record).await
}

async fn try_enter(app: &App, visit: &Visit, request: &RequestId, started: std::time::Instant) -> Result<Entered> {
    let site = &visit.site;
    let Places { public_url, login_url } = Places::of(site)?;
    let mut tx = app.db.begin().await?;
    let now = app.clock.now();
    let taken = store::take(tx.conn(), site.id, &visit.link.id, now).await?;
    // As it is now: the address may have become another.
    let link = store::by_hash(tx.conn(), site.id, &visit.presented.hash).await?;
    let link = match link {
        Some(link) if taken && !link.is_going => link,
        other => {
            tx.rollback().await?;
            let standing = other.map_or(Standing::Gone, |link| Standing::of(&link, now));
            return Ok(Entered::Not(standing));
        }
    };
    let signer = keys::signer(&mut tx, &app.sealer, site.id, now).await?;
    // An older program has kept some as they came.
    let redirect = link.redirect.as_deref().and_then(|path| SitePath::parse(path).ok());
    let seconds = now.micros().div_euclid(1_000_000);
    let token = signer.sign(&Claims {
        sub: link.member_id.as_str(),
        email: &link.email,
        name: link.name.as_deref(),
        iss: &public_url,
        aud: &login_url,
        jti: link.id.as_str(),
        iat: seconds,
        exp: seconds + TOKEN_LIFE.as_secs() as i64,
        redirect: redirect.as_ref().map(SitePath::as_str),
    });
    tx.note(Change::updated(
        "loginLink",
        link.id.as_str(),
        json!({ "member": link.member_id, "expiresAt": link.expires_at }),
        json!({ "member": link.member_id, "expiresAt": link.expires_at, "usedAt": now }),
    ));
    let mut record = record(visit, request.clone(), now, (ActivityStatus::Ok, None));
    record.changes = Record::changes_of(tx.changes());
    record.duration_us = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
    activity::store::insert(tx.conn(), [(&record, 1)]).await?;
    tx.commit().await?;
    Ok(Entered::In(HandOver { login_url, token }))
}

fn record(visit: &Visit, request: RequestId, at: Time, (status, code): (ActivityStatus, Option<Code>)) -> Record {
    Record {
        args: Some(json!({ "link": visit.link.id }).to_string()),
        status,
        code: code.map(|code| code.name().into()),
        member: Some(visit.link.member_id.clone()),
        ..Record::done(visit.site.id, request, at, (Actor::Member, Surface::Http), TOOL)
    }
}
