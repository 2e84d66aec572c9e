//! Bringing a subscription at Stripe to what was asked for.
//!
//! What is wanted is a *state*. The job asks Stripe how the subscription stands, compares that with the last word in the
//! row, writes one step towards it, and begins anew, until Stripe says that it is so. It reads the last word anew after
//! each of its writes, so of calls that race the last wins: whoever wrote last at Stripe has looked after that for a later
//! word, and whoever brings that later word looks at Stripe after it was given.
//!
//! A write that was not answered is repeated with its key until it is, or until Stripe says that it is so. The key has
//! the job, the word and a number that grows with each answer, so that no answer is mistaken for that to another write.
//!
//! It never gives up because of time: an outage of days is waited for. Only Stripe's own refusal ends it.

mod step;

use serde::{Deserialize, Serialize};
use serde_json::json;
pub use step::Step;
use usher_jobs::{Fail, Run};
use usher_stripe::{
    Client, Error, Kind,
    requests::{subscription_schedules, subscriptions as ask},
    views,
};

use super::{
    Wanted,
    store::{self, Word},
    types::Subscription,
};
use crate::{
    app::App,
    areas::{
        billing::{
            self,
            connection::Connection,
            job::{failed, read_now, to_write},
            store::{Mark, mark},
        },
        members,
    },
    error::Code,
    values::{SiteId, SubscriptionId},
};

/// Steps of one attempt. Two are usual; more are taken where somebody else writes at the same time.
const STEPS: usize = 20;

/// How far it got: the job's checkpoint. Readable for ever.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct At {
    /// Writes that were answered.
    n: u32,
}

struct Bringer<'a> {
    app: &'a App,
    run: &'a Run,
    site: SiteId,
    id: &'a SubscriptionId,
    external: &'a str,
    connection: &'a Connection,
    client: &'a Client,
}

/// Brings a subscription to the last word about it, and ends the job.
pub async fn bring(app: &App, id: &SubscriptionId, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let row = store::by_id(app.db.read(), site, id).await?;
    let Some(external) = row.filter(Subscription::is_at_stripe).and_then(|row| row.external_id) else {
        let mut tx = app.db.begin().await?;
        run.finish(&mut tx, &json!({ "outcome": "gone", "subscription": id }), &json!({})).await?;
        tx.commit().await?;
        return Ok(());
    };
    let (connection, client) = to_write(app, site).await?;
    let (connection, client) = (&connection, &client);
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    Bringer { app, run, site, id, external: &external, connection, client }.go(&mut at).await
}

impl Bringer<'_> {
    async fn go(&self, at: &mut At) -> Result<(), Fail> {
        let mut refused: Option<(Word, Step, Error)> = None;
        for _ in 0..STEPS {
            if self.run.stopping() {
                return Err(Fail::Stopping);
            }
            let word = store::word(self.app.db.read(), self.site, self.id).await?;
            let Some(view) = self.look().await? else { return self.missing(word, at).await };
            let Some(word) = word else { return self.end("superseded", at).await };
            if let Some(schedule) = step::schedule_in_the_way(&view, word.asked) {
                self.release(&word, schedule, at).await?;
                continue;
            }
            let step = match step::next(&view, word.asked, word.resumes_at, self.app.clock.now()) {
                Ok(None) => return self.end(self.outcome(&word), at).await,
                Ok(Some(step)) => step,
                Err(step::Ended) => return self.too_late(&word, at).await,
            };
            match refused.take() {
                Some((before, same, error)) if before == word && same == step => {
                    return self.give_up(&word, error, at).await;
                }
                _ => {}
            }
            match self.write(&word, step, at).await? {
                Ok(view) if step == Step::Resume && view.status == views::SubscriptionStatus::Paused => {
                    return self.unpaid(&word, at).await;
                }
                Ok(_) => {}
                Err(error) => refused = Some((word, step, error)),
            }
        }
        Err(Fail::retry(Code::StripeUnavailable.name(), "Somebody else changes the subscription at the same time."))
    }

    /// How it stands at Stripe; nothing if Stripe does not have it.
    async fn look(&self) -> Result<Option<views::Subscription>, Fail> {
        match self.client.read(&ask::get(self.external)).await {
            Ok(answer) => Ok(Some(answer.value)),
            Err(error) if error.kind() == Kind::Missing => Ok(None),
            Err(error) => Err(failed(self.app, self.run, error).await),
        }
    }

    /// Writes one step. What Stripe refuses is given back: it may have become so meanwhile, so it is looked at again.
    async fn write(&self, word: &Word, step: Step, at: &mut At) -> Result<Result<views::Subscription, Error>, Fail> {
        self.checkpoint(at).await?;
        let (job, n) = (&self.run.job_id, at.n);
        let key = format!("usher:{job}:{n}:{}:{}", step.name(), word.job);
        let error = match self.client.write(step.request(self.external).stored(), &key).await {
            Ok(answer) => {
                at.n += 1;
                return Ok(Ok(answer.value));
            }
            Err(error) => error,
        };
        match error.kind() {
            Kind::Missing | Kind::Refused => {
                at.n += 1;
                Ok(Err(error))
            }
            // The key would only bring this answer again, so what is to be done is seen anew and has another key.
            Kind::LookUpFirst | Kind::IdempotencyClash => {
                at.n += 1;
                self.checkpoint(at).await?;
                Err(failed(self.app, self.run, error).await)
            }
            Kind::Retry { .. } | Kind::Permission => Err(failed(self.app, self.run, error).await),
        }
    }

    /// Has a schedule let the subscription go. Whatever Stripe says, it is looked at again.
    async fn release(&self, word: &Word, schedule: &str, at: &mut At) -> Result<(), Fail> {
        self.checkpoint(at).await?;
        let key = format!("usher:{}:{}:release:{}", self.run.job_id, at.n, word.job);
        let request = subscription_schedules::release(schedule);
        match self.client.write::<views::SubscriptionSchedule>(request.stored(), &key).await {
            Err(error) if matches!(error.kind(), Kind::Retry { .. } | Kind::Permission) => {
                Err(failed(self.app, self.run, error).await)
            }
            _ => {
                at.n += 1;
                Ok(())
            }
        }
    }

    async fn checkpoint(&self, at: &At) -> Result<(), Fail> {
        let mut tx = self.app.db.begin().await?;
        self.run.checkpoint(&mut tx, at, &json!({ "writes": at.n })).await?;
        tx.commit().await?;
        Ok(())
    }

    fn outcome(&self, word: &Word) -> &'static str {
        if word.job == self.run.job_id { "done" } else { "superseded" }
    }

    /// Has the mirror read what has become of it.
    async fn mirror(&self) -> Result<(), Fail> {
        let mut tx = self.app.db.begin().await?;
        let heard = Mark { kind: "subscription", object: self.external, source: "write", event: None };
        mark(tx.conn(), self.site, &heard, self.app.clock.now()).await?;
        billing::wake(&mut tx, self.app, self.site).await?;
        tx.commit().await?;
        read_now(self.app, self.run, (self.connection, self.client), ("subscription", self.external)).await
    }

    async fn end(&self, outcome: &str, at: &At) -> Result<(), Fail> {
        self.mirror().await?;
        let mut tx = self.app.db.begin().await?;
        let row = store::by_id(tx.conn(), self.site, self.id).await?;
        let result = json!({
            "outcome": outcome, "subscription": self.id, "status": row.as_ref().map(|row| row.status.as_str()),
            "externalId": self.external, "writes": at.n,
        });
        self.run.finish(&mut tx, &result, &json!({ "writes": at.n })).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Stripe does not have it: so it bills nothing, which is all that a cancel is for.
    async fn missing(&self, word: Option<Word>, at: &At) -> Result<(), Fail> {
        match word {
            Some(word) if matches!(word.asked, Wanted::Canceled | Wanted::Ending) => {
                self.end(self.outcome(&word), at).await
            }
            Some(word) => self.too_late(&word, at).await,
            None => self.end("superseded", at).await,
        }
    }

    /// It has ended, so it can be neither paused nor resumed.
    async fn too_late(&self, word: &Word, at: &At) -> Result<(), Fail> {
        if word.job != self.run.job_id {
            return self.end("superseded", at).await;
        }
        self.mirror().await?;
        self.silence(word).await?;
        let text = format!("Subscription {} has ended; Stripe does not take up what has ended.", self.id);
        Err(Fail::fatal(Code::SubscriptionEnded.name(), text))
    }

    /// What would take it up was not paid.
    async fn unpaid(&self, word: &Word, at: &At) -> Result<(), Fail> {
        if word.job != self.run.job_id {
            return self.end("superseded", at).await;
        }
        self.mirror().await?;
        self.silence(word).await?;
        let text = format!("The payment that would take up subscription {} did not succeed; it stays paused.", self.id);
        Err(Fail::fatal(Code::StripeRefused.name(), text))
    }

    /// Stripe refuses. A cancel stays wanted: it is begun anew whenever the subscription is seen alive.
    async fn give_up(&self, word: &Word, error: Error, at: &At) -> Result<(), Fail> {
        if word.job != self.run.job_id {
            return self.end("superseded", at).await;
        }
        if word.asked != Wanted::Canceled {
            self.silence(word).await?;
        }
        Err(failed(self.app, self.run, error).await)
    }

    async fn silence(&self, word: &Word) -> Result<(), Fail> {
        let mut tx = self.app.db.begin().await?;
        // Whoever mirrors the subscription holds its member too, and would write back what was wanted before.
        if let Some(row) = store::by_id(tx.conn(), self.site, self.id).await? {
            members::store::hold(tx.conn(), self.site, &row.member_id).await?;
        }
        store::silence(tx.conn(), self.site, self.id, &word.job).await?;
        tx.commit().await?;
        Ok(())
    }
}
