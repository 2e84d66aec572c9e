//! Accepting a mail: its row and its job, in the caller's transaction.

use std::time::Duration;

use serde_json::json;
use usher_db::Change;

use super::{
    connection::not_connected,
    content::Content,
    jobs::Deliver,
    store::{self, NewMail},
    system::SystemMail,
    types::{Kind, Recipient, State},
};
use crate::{
    areas::{blocklist::Reason, jobs::JobView, members::Member, sites::Site},
    error::{Code, Error, Result},
    gate::Cx,
    values::{Email, MemberId, TemplateId, Time, email_key},
};

/// Why a mail of a test site stays.
pub(super) const NOT_ON_TEST_SITE: &str = "not_allowed_on_test_site";

/// How many mails by which a member signs in go out within [`PERIOD`]: nobody's mailbox is flooded by who types its address.
const SIGN_IN_MAILS: u32 = 5;

/// An hour.
const PERIOD: Duration = Duration::from_secs(3600);

/// A mail to one person.
pub(super) struct Letter<'a> {
    pub(super) member: &'a MemberId,
    pub(super) to: &'a Email,
    pub(super) kind: Kind,
    pub(super) template: Option<&'a TemplateId>,
    pub(super) subject: &'a str,
    pub(super) content: &'a Content,
    pub(super) hash: Option<&'a str>,
    /// Why it does not go out.
    pub(super) stays: Option<String>,
    /// Where the recipient stands in the call's result, if it is one of several: a JSON pointer.
    pub(super) place: Option<String>,
}

/// Accepts a mail by which somebody signs in: its row and its job, in the caller's transaction. Neither a block, nor the
/// day's cap, nor `email_members` holds it back; a test site's `mail_only_to` does, and then the recipient is `blocked`. A
/// member, whom the caller holds, gets five an hour at most. The call's result has the recipient as `email`.
pub async fn queue_system(cx: &mut Cx, member: &Member, mail: SystemMail) -> Result<Recipient> {
    check_connected(cx).await?;
    let to = Email::stored(&member.email);
    let (site, now) = (cx.site(), cx.now);
    // The member is held, so that calls that race are counted one after the other.
    let times = store::sign_in_mails(cx.conn(), site, &member.id, now - PERIOD, SIGN_IN_MAILS).await?;
    if times.len() >= SIGN_IN_MAILS as usize {
        return Err(too_many(member, times.last().copied().unwrap_or(now) + PERIOD));
    }
    let (subject, content) = mail.write(&cx.caller.site.name, member.name.as_deref());
    let stays = match Email::parse(&member.email) {
        Err(_) => Some(Reason::Invalid.as_str().to_owned()),
        Ok(_) => (!may_get_mail(&cx.caller.site, &to)).then(|| NOT_ON_TEST_SITE.to_owned()),
    };
    let letter = Letter {
        member: &member.id,
        to: &to,
        kind: mail.kind(),
        template: None,
        subject: &subject,
        content: &content,
        hash: None,
        stays,
        place: Some("/message".to_owned()),
    };
    queue(cx, letter).await
}

fn too_many(member: &Member, until: Time) -> Error {
    let text = format!(
        "Member {} was sent {SIGN_IN_MAILS} mails to sign in with within an hour, which is enough. The next may go out at \
         {until}. Without `send`, members.createLoginLink gives a link at any time.",
        member.id
    );
    Error::new(Code::TooManySignInMails, text)
}

/// Makes sure that there is something to send with, so that nothing is accepted that cannot go out.
pub(super) async fn check_connected(cx: &mut Cx) -> Result<()> {
    let site = cx.site();
    store::connection(cx.conn(), site).await?.ok_or_else(not_connected).map(drop)
}

/// Whether a site may write to an address at all: a live one to any, a test site to those it is allowed.
pub(super) fn may_get_mail(site: &Site, to: &Email) -> bool {
    let allows = |allowed: &String| {
        let allowed = email_key(allowed);
        allowed == to.key() || allowed.starts_with('@') && to.key().ends_with(&allowed)
    };
    site.live || site.settings.mail_only_to.iter().any(allows)
}

/// Writes a mail down, and starts the job that delivers it unless it stays.
pub(super) async fn queue(cx: &mut Cx, letter: Letter<'_>) -> Result<Recipient> {
    let (app, site, now, request) = (cx.app.clone(), cx.site(), cx.now, cx.request.clone());
    let id = app.clock.id();
    let goes = letter.stays.is_none();
    let sealed = if goes { Some(letter.content.seal(&app, site, &id)?) } else { None };
    let deliver = Deliver { email: id.clone() };
    let job = match (goes, letter.place) {
        (false, _) => None,
        (true, None) => Some(cx.enqueue(&deliver).await?),
        (true, Some(place)) => Some(cx.enqueue_at(place, &deliver).await?),
    };
    let state = if goes { State::Queued } else { State::Blocked };
    let new = NewMail {
        id: &id,
        request: &request,
        job: job.as_ref().map(|job| job.id.as_str()),
        member: letter.member,
        address: letter.to.as_str(),
        kind: letter.kind,
        template: letter.template,
        subject: letter.subject,
        content: sealed.as_deref(),
        hash: letter.hash,
        state,
        reason: letter.stays.as_deref(),
    };
    store::insert(cx.tx().conn(), site, new, now).await?;
    let mut after = json!({
        "member": letter.member, "email": letter.to.as_str(), "kind": letter.kind.as_str(), "subject": letter.subject,
        "status": state.shown(),
    });
    if let Some(reason) = &letter.stays {
        after["reason"] = json!(reason);
    }
    cx.tx().note(Change::created("email", id.as_str(), after));
    Ok(Recipient {
        member: letter.member.clone(),
        email: letter.to.to_string(),
        id,
        status: state.shown(),
        reason: letter.stays,
        reply: None,
        job: job.map(JobView::from_row).transpose()?,
    })
}
