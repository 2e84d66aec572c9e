use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_jobs::{Fail, Job, Queue, Run};

use crate::{
    app::App,
    areas::{
        members::{
            erase::{self, At, Counts, End, Kind, Person, Work},
            store as members,
        },
        subscriptions,
    },
    pace::Pace,
    values::{MemberId, SiteId},
};

/// Deletes a member that is marked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delete {
    /// Whom.
    pub member: MemberId,
}

impl Job for Delete {
    const KIND: &'static str = "members.delete";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped. Stripe may be away for days.
    const MAX_ATTEMPTS: u32 = 1_000_000;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> Value {
        json!(At::start(0, Counts::new()).progress())
    }
}

/// Applies [`Delete`].
pub async fn delete(app: &App, job: Delete, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let person = marked(app, site, &job.member).await?;
    let work = Work { app, run, site, person: &person };
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    if !at.has_begun() {
        at = At::start(total(app, site, &job.member).await?, Counts::new());
    }
    if at.is_paying() {
        let n = subscriptions::end_all(app, site, &job.member, run).await?;
        at.ended(n);
        let mut tx = app.db.begin().await?;
        run.checkpoint(&mut tx, &at, &at.progress()).await?;
        tx.commit().await?;
    }
    let mut pace = Pace::new(&app.db);
    for kind in Kind::ALL {
        while erase::store::has(app.db.read(), site, &job.member, kind).await? {
            if run.stopping() {
                return Err(Fail::Stopping);
            }
            let rows = u32::try_from(pace.rows(&app.db, app.clock.now())).unwrap_or(u32::MAX);
            let mut tx = app.db.begin().await?;
            at.gone(kind, erase::store::delete(&mut tx, site, &job.member, kind, rows).await?);
            run.checkpoint(&mut tx, &at, &at.progress()).await?;
            tx.commit().await?;
        }
    }
    let tail = erase::rewrite(&work, &mut at).await?;
    erase::end(&work, &mut at, &tail, End::Delete).await
}

/// A member that is to go.
pub async fn marked(app: &App, site: SiteId, id: &MemberId) -> Result<Person, Fail> {
    match members::by_id(app.db.read(), site, id).await? {
        Some(member) if member.deleting_since.is_some() => {
            let person = Person::new(id, &member.email);
            // Of one that is merged, they are the winner's.
            if members::merges_into(app.db.read(), site, id).await?.flatten().is_some() {
                return Ok(person);
            }
            let former = members::former_of(app.db.read(), site, id).await?;
            Ok(person.with_former(former.into_iter().map(|(key, _)| key).collect()))
        }
        Some(_) => Err(Fail::fatal("internal", "The member is not marked as one to be deleted.")),
        None => Err(Fail::fatal("member_not_found", "The site has no such member.")),
    }
}

/// How many rows a member has.
pub async fn total(app: &App, site: SiteId, id: &MemberId) -> Result<u64, Fail> {
    let mut total = 0;
    for kind in Kind::ALL {
        total += erase::store::tally(app.db.read(), site, id, kind).await?;
    }
    Ok(total)
}
