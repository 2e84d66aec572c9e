use std::{future::Future, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_db::Tx;
use usher_jobs::{Fail, Job, JobRow, Queue, Run, State as JobState};
use usher_mail::{Failure, Verdict};

use super::{
    compose,
    content::Content,
    queue::{NOT_ON_TEST_SITE, may_get_mail},
    store::{self, Due, Tried},
    types::{EmailStatus, Mail, State},
};
use crate::{
    app::App,
    areas::{
        blocklist::{self, Reason, Word},
        sites::{self, Site},
    },
    clock::Clock,
    error::{Code, Error},
    values::{Email, EmailId, SiteId},
};

/// The waits after attempts that came to nothing; the last one again and again. The first are short, as most faults are;
/// five minutes later even a server that makes strangers wait lets them in.
const WAITS_S: [u64; 8] = [5, 30, 120, 300, 600, 1200, 1800, 3600];

/// How long a mail is tried.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// The same for a link that works for 60 minutes.
const PATIENCE_OF_LINKS: Duration = Duration::from_secs(50 * 60);

/// How often it is tried to note that a mail has left. Whoever gives up here sends it twice.
const NOTES: u32 = 8;

/// The wait before the second such try; it doubles.
const NOTE_WAIT: Duration = Duration::from_millis(250);

/// Delivers one mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deliver {
    /// The mail.
    pub email: EmailId,
}

impl Job for Deliver {
    const KIND: &'static str = "emails.deliver";
    const QUEUE: Queue = Queue::Mail;
    /// More than there are waits in a day, as a crash counts as an attempt.
    const MAX_ATTEMPTS: u32 = 200;
    /// A server may take ten minutes for its last word.
    const TIMEOUT: Duration = Duration::from_secs(20 * 60);

    fn progress(&self) -> Value {
        json!({ "status": EmailStatus::Queued })
    }
}

/// What an attempt came to.
enum Came {
    /// The server has taken it.
    Sent(String),
    /// It is not to go out any more.
    Stays(String),
    /// The server said no, or not yet.
    Refused { failure: Failure, is_counted: bool },
    /// Something of ours is not as it must be; it may be mended.
    Hindered(Error),
    /// It can never be sent.
    Impossible(Error),
}

/// Applies [`Deliver`].
pub async fn deliver(app: &App, job: Deliver, run: &Run) -> Result<(), Fail> {
    let id = SiteId::new(run.site);
    let Some(due) = store::due(app.db.read(), id, &job.email).await? else {
        // The member was deleted, and the mail with it.
        return finish(app, run, &json!({ "status": "deleted" })).await;
    };
    let Some(site) = sites::store::get(app.db.read(), id).await? else {
        return Err(Fail::fatal(Code::Internal.name(), "The site is gone."));
    };
    if due.mail.state.is_over() {
        return already(app, run, &due.mail).await;
    }
    match attempt(app, run, &site, &due).await? {
        Came::Sent(reply) => sent(app, run, &due.mail, &reply).await,
        Came::Stays(reason) => {
            let shown = json!({ "status": EmailStatus::Blocked, "reason": reason });
            let mut tx = app.db.begin().await?;
            let tried = Tried { n_more: 0, in_doubt: due.mail.state == State::Sending, reply: None };
            let end = (State::Blocked, Some(&*reason));
            store::end(tx.conn(), id, &due.mail.id, end, tried, app.clock.now()).await?;
            run.finish(&mut tx, &shown, &shown).await?;
            Ok(tx.commit().await?)
        }
        Came::Refused { failure, is_counted } => refused(app, run, &due.mail, &failure, is_counted).await,
        Came::Hindered(error) => {
            let tried = Tried { n_more: 1, in_doubt: false, reply: Some(error.message()) };
            later(app, run, &due.mail, error.code(), tried).await
        }
        Came::Impossible(error) => {
            let tried = Tried { n_more: 1, in_doubt: false, reply: Some(error.message()) };
            never(app, run, &due.mail, error.code(), tried, None).await
        }
    }
}

/// Tries once.
async fn attempt(app: &App, run: &Run, site: &Site, due: &Due) -> Result<Came, Fail> {
    let mail = &due.mail;
    if let Some(reason) = stays(app, site, mail).await? {
        return Ok(Came::Stays(reason));
    }
    let mailer = match app.mailers.get(app, site.id).await {
        Ok(mailer) => mailer,
        Err(error) => return Ok(Came::Hindered(error)),
    };
    let composed = async {
        let content = Content::open(app, site.id, &mail.id, due.content.as_deref().unwrap_or_default())?;
        compose::message(app, site, &mailer, mail, &content).await
    };
    let message = match composed.await {
        Ok(message) => message,
        Err(error) if error.code() == Code::MailRefused => return Ok(Came::Impossible(error)),
        Err(error) => return Ok(Came::Hindered(error)),
    };
    let offered = match mailer.transport.offer(&message).await {
        Ok(offered) => offered,
        Err(failure) => return Ok(Came::Refused { failure, is_counted: false }),
    };
    // From here on it may have left. One that is found like this was with a worker that died, or whose end nobody noted.
    let mut tx = app.db.begin().await?;
    run.checkpoint(&mut tx, &Value::Null, &json!({ "status": EmailStatus::Queued })).await?;
    let (message_id, in_doubt) = (compose::message_id(mail, &mailer), mail.state == State::Sending);
    if store::begin(tx.conn(), site.id, &mail.id, &message_id, in_doubt, app.clock.now()).await? == 0 {
        return Err(Fail::retry(Code::Unavailable.name(), "The mail has changed meanwhile. Usher will look again."));
    }
    tx.commit().await?;
    Ok(match offered.hand_over().await {
        Ok(reply) => Came::Sent(reply),
        Err(failure) => Came::Refused { failure, is_counted: true },
    })
}

/// Why a mail is not to go out any more: what holds it back may have come since it was accepted.
async fn stays(app: &App, site: &Site, mail: &Mail) -> Result<Option<String>, Fail> {
    let Ok(to) = Email::parse(&mail.email) else { return Ok(Some(Reason::Invalid.as_str().into())) };
    if !may_get_mail(site, &to) {
        return Ok(Some(NOT_ON_TEST_SITE.into()));
    }
    if mail.kind.is_system() {
        return Ok(None);
    }
    if !site.settings.email_members {
        return Ok(Some(Code::EmailDisabled.name().into()));
    }
    let found = blocklist::find(&mut &app.db, site.id, &[to.key().to_owned()]).await?;
    Ok(found.get(to.key()).map(|entry| entry.reason.as_str().into()))
}

/// Notes that the server has a mail. Tried again and again, as the mail would else be sent again.
async fn sent(app: &App, run: &Run, mail: &Mail, reply: &str) -> Result<(), Fail> {
    let shown = json!({ "status": EmailStatus::Sent, "reply": reply });
    let note = async || {
        let mut tx = app.db.begin().await?;
        let tried = Tried { n_more: 0, in_doubt: false, reply: Some(reply) };
        store::end(tx.conn(), SiteId::new(run.site), &mail.id, (State::Sent, None), tried, app.clock.now()).await?;
        run.finish(&mut tx, &shown, &shown).await?;
        Ok(tx.commit().await?)
    };
    insist(note).await
}

async fn insist<F: Future<Output = Result<(), Fail>>>(note: impl Fn() -> F) -> Result<(), Fail> {
    let mut wait = NOTE_WAIT;
    for _ in 1..NOTES {
        match note().await {
            Err(Fail::Retry { .. }) => tokio::time::sleep(wait).await,
            ended => return ended,
        }
        wait *= 2;
    }
    note().await
}

/// What is to become of a mail that the server did not take.
async fn refused(app: &App, run: &Run, mail: &Mail, failure: &Failure, is_counted: bool) -> Result<(), Fail> {
    let in_doubt = failure.is_in_doubt || mail.state == State::Sending;
    let tried = Tried { n_more: u32::from(!is_counted), in_doubt, reply: Some(&failure.reply) };
    match failure.verdict {
        Verdict::Later => later(app, run, mail, Code::MailDeferred, tried).await,
        Verdict::Never => never(app, run, mail, Code::MailRefused, tried, None).await,
        Verdict::NoMailbox => never(app, run, mail, Code::MailboxUnknown, tried, Some(&failure.reply)).await,
    }
}

/// Lets a mail wait for its next attempt, unless it has waited for too long.
async fn later(app: &App, run: &Run, mail: &Mail, code: Code, tried: Tried<'_>) -> Result<(), Fail> {
    let n = mail.attempts as usize;
    let wait = Duration::from_secs(WAITS_S[n.min(WAITS_S.len() - 1)]);
    let patience = if mail.kind.is_system() { PATIENCE_OF_LINKS } else { PATIENCE };
    if app.clock.now().since(mail.created_at) + wait > patience {
        return never(app, run, mail, code, tried, None).await;
    }
    let shown = json!({ "status": EmailStatus::Queued, "reply": tried.reply, "attempts": n + 1 });
    let mut tx = app.db.begin().await?;
    run.checkpoint(&mut tx, &Value::Null, &shown).await?;
    store::defer(tx.conn(), SiteId::new(run.site), &mail.id, tried, app.clock.now()).await?;
    tx.commit().await?;
    Err(Fail::after(wait, code.name(), tried.reply.unwrap_or_default()))
}

/// Gives a mail up. An address without a mailbox goes onto the block list.
async fn never(
    app: &App,
    run: &Run,
    mail: &Mail,
    code: Code,
    tried: Tried<'_>,
    no_mailbox: Option<&str>,
) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let shown = json!({ "status": EmailStatus::Failed, "reason": code.name(), "reply": tried.reply });
    let mut tx = app.db.begin().await?;
    run.checkpoint(&mut tx, &Value::Null, &shown).await?;
    store::end(tx.conn(), site, &mail.id, (State::Failed, Some(code.name())), tried, app.clock.now()).await?;
    if let (Some(reply), Ok(email)) = (no_mailbox, Email::parse(&mail.email)) {
        // Two words of the reply, as in `550 5.1.1`; the rest may name the address.
        let vendor_code: Vec<_> = reply.split_whitespace().take(2).collect();
        let vendor_code = vendor_code.join(" ");
        let word = Word {
            email: &email,
            reason: Reason::HardBounce,
            source: "smtp",
            note: None,
            vendor_code: Some(&vendor_code),
            first_seen: None,
        };
        blocklist::block(&mut tx, &app.clock, site, &[word]).await?;
    }
    tx.commit().await?;
    Err(Fail::fatal(code.name(), tried.reply.unwrap_or_default()))
}

/// Ends a job whose mail was over before.
async fn already(app: &App, run: &Run, mail: &Mail) -> Result<(), Fail> {
    if mail.state == State::Failed {
        let code = Code::ALL.iter().copied().find(|code| Some(code.name()) == mail.reason.as_deref());
        let text = "The mail was given up, and what it said is not kept. Send it anew.";
        return Err(Fail::fatal(code.unwrap_or(Code::MailRefused).name(), text));
    }
    finish(app, run, &json!({ "status": mail.status, "reason": mail.reason, "reply": mail.reply })).await
}

async fn finish(app: &App, run: &Run, shown: &Value) -> Result<(), Fail> {
    let mut tx = app.db.begin().await?;
    run.finish(&mut tx, shown, shown).await?;
    Ok(tx.commit().await?)
}

/// Gives up the mail of a job that has ended without it: one that was cancelled, or that killed its worker each time.
pub async fn ended(tx: &mut Tx, clock: &Clock, job: &JobRow) -> usher_db::Result<()> {
    if job.kind != Deliver::KIND || job.state == JobState::Succeeded {
        return Ok(());
    }
    let reason = match job.state {
        JobState::Cancelled => Code::Cancelled.name(),
        _ => job.error_code.as_deref().unwrap_or(Code::Internal.name()),
    };
    store::give_up(tx.conn(), SiteId::new(job.site), &job.id, reason, clock.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_fewer_waits_than_attempts() {
        let mut n_attempts = 0;
        let mut waited = 0;
        while waited < PATIENCE.as_secs() {
            waited += WAITS_S[n_attempts.min(WAITS_S.len() - 1)];
            n_attempts += 1;
        }
        assert!((20..50).contains(&n_attempts), "{n_attempts}");
        assert!(n_attempts < Deliver::MAX_ATTEMPTS as usize / 2);
    }
}
