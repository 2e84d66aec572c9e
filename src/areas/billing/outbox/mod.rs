//! Making something at Stripe once, whatever happens on the way.
//!
//! The job is the outbox. Before a [`Step`] is first sent, the very bytes, the generation that is in its idempotency key
//! and the moment are committed in the job's checkpoint; from then on those bytes are what is sent. What is not known to
//! have failed is sent again with the same key; where the key would only repeat an answer that says nothing, or where
//! Stripe may have forgotten it, the thing is looked for by a list call first, and only once it is proven not to be
//! there does the next generation begin. What Stripe will not do ends the job, and another attempt at it has another key.
//!
//! It must never send what is not committed, never take an answer that cannot be read for a failure, and never call
//! Stripe while a transaction is open.

mod look;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use usher_db::Tx;
use usher_jobs::{Fail, Run};
use usher_stripe::{Client, Error, Kind, Request, StoredRequest};

pub use look::{list_all, search};

use super::job;
use crate::{
    app::App,
    error::Code,
    values::{JobId, RequestId, SiteId, Time},
};

/// Attempts of a job that writes at Stripe. It waits out whatever passes, for years if need be.
pub const MAX_ATTEMPTS: u32 = 10_000_000;

/// Stripe knows a key for at least 24 hours; a call that is under way then is given an hour.
const KEY_LIVES: Duration = Duration::from_secs(23 * 3600);

/// Keys that one attempt uses for a thing that Stripe fails at and has not made.
const MAX_GENERATIONS: u32 = 4;

/// Something to make at Stripe.
pub trait Step: Sync {
    /// Its name among the steps of its job; stable for ever.
    const NAME: &'static str;
    /// Whether it may be there before its first sending, made by another job or by hand, and is then taken.
    const LOOKS_FIRST: bool = false;
    /// What Stripe answers.
    type View: DeserializeOwned + Send;
    /// What is kept of that; readable for ever.
    type Made: Serialize + DeserializeOwned + Send + Sync;

    /// What makes it. `op` is to be kept with it, if that is how it is found again.
    fn request(&self, op: &str) -> Request<Self::View>;

    /// Looks for it by reads that see all that was written. `sent` is what was, or would be, sent.
    fn find(
        &self,
        client: &Client,
        op: &str,
        sent: &StoredRequest,
    ) -> impl Future<Output = Result<Option<Self::View>, Error>> + Send;

    /// What is to be kept.
    fn made(&self, view: Self::View) -> Self::Made;

    /// Writes what comes of it here, in the transaction that keeps it. Gives why nobody wants it any more, if so.
    fn keep(&self, tx: &mut Tx, made: &Self::Made) -> impl Future<Output = usher_db::Result<Result<(), Fail>>> + Send {
        let _ = (tx, made);
        async { Ok(Ok(())) }
    }
}

/// How far a job's steps are; its checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct At {
    /// The account that the first step went to.
    account: Option<String>,
    steps: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    /// It may have been sent.
    Sent(Sent),
    /// Stripe would not do it with this generation's key.
    Refused { generation: u32 },
    /// It is there.
    Made(Value),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    request: StoredRequest,
    generation: u32,
    /// In microseconds, by Usher's clock; of this generation.
    first_sent_at: i64,
}

/// The steps of one job.
pub struct Outbox<'a> {
    /// The program.
    pub app: &'a App,
    /// The attempt.
    pub run: &'a Run,
    /// Whose Stripe it is.
    pub site: SiteId,
    at: At,
    n_steps: usize,
}

/// What a step's end is.
enum End<'a, M> {
    /// Others follow.
    Goes,
    /// The job ends with it, with this result.
    Ends(&'a (dyn Fn(&M) -> Value + Sync)),
}

impl<'a> Outbox<'a> {
    /// Goes on where an earlier attempt stopped. `n_steps` is for those who watch.
    pub fn open(app: &'a App, run: &'a Run, n_steps: usize) -> Self {
        let at = run.checkpoint_value().unwrap_or_default();
        Self { app, run, site: SiteId::new(run.site), at, n_steps }
    }

    /// The job.
    pub fn job(&self) -> Result<JobId, Fail> {
        JobId::parse(&self.run.job_id).map_err(|error| Fail::fatal(Code::Internal.name(), error.to_string()))
    }

    /// Whether a step may have been sent, or is done: what is sent is settled then.
    pub fn may_have_sent<S: Step>(&self) -> bool {
        matches!(self.at.steps.get(S::NAME), Some(Entry::Sent(_) | Entry::Made(_)))
    }

    /// What is kept with what a step of this job makes.
    pub fn op(&self, step: &str) -> String {
        format!("{}:{step}", self.run.job_id)
    }

    /// Makes something, unless that is done.
    pub async fn make<S: Step>(&mut self, step: &S) -> Result<S::Made, Fail> {
        self.go(step, End::Goes).await
    }

    /// Makes the last thing of a job, and ends the job in the transaction that keeps it.
    pub async fn make_last<S: Step>(
        &mut self,
        step: &S,
        result: impl Fn(&S::Made) -> Value + Sync,
    ) -> Result<S::Made, Fail> {
        self.go(step, End::Ends(&result)).await
    }

    async fn go<S: Step>(&mut self, step: &S, end: End<'_, S::Made>) -> Result<S::Made, Fail> {
        if let Some(Entry::Made(value)) = self.at.steps.get(S::NAME)
            && let Ok(made) = serde_json::from_value(value.clone())
        {
            return Ok(made);
        }
        let client = self.client().await?;
        let op = self.op(S::NAME);
        let mut sent = match self.at.steps.get(S::NAME).cloned() {
            Some(Entry::Sent(sent)) if !self.is_old(&sent) => sent,
            Some(Entry::Sent(sent)) => match self.found(step, &client, &sent.request).await? {
                Some(view) => return self.keep(step, view, end).await,
                None => self.prepare::<S>(sent.request, sent.generation + 1).await?,
            },
            before => {
                let request = step.request(&op).into_stored();
                if S::LOOKS_FIRST
                    && let Some(view) = self.found(step, &client, &request).await?
                {
                    return self.keep(step, view, end).await;
                }
                let generation = match before {
                    Some(Entry::Refused { generation }) => generation + 1,
                    _ => 0,
                };
                self.prepare::<S>(request, generation).await?
            }
        };
        for _ in 0..MAX_GENERATIONS {
            let error = match client.write(&sent.request, &self.key::<S>(&sent)).await {
                Ok(answer) => return self.keep(step, answer.value, end).await,
                Err(error) => error,
            };
            if matches!(error.kind(), Kind::Retry { .. } | Kind::Permission) {
                return Err(self.failed(error).await);
            }
            if error.kind() == Kind::IdempotencyClash {
                tracing::error!(site = %self.site, job = self.run.job_id, %error, "a key was used with other bytes");
                metrics::counter!("usher_stripe_alarms_total", "what" => "idempotency_clash").increment(1);
            }
            // Whatever else Stripe says: what is there was made.
            if let Some(view) = self.found(step, &client, &sent.request).await? {
                return self.keep(step, view, end).await;
            }
            if matches!(error.kind(), Kind::Refused | Kind::Missing) {
                self.note::<S>(Entry::Refused { generation: sent.generation }).await?;
                return Err(self.failed(error).await);
            }
            sent = self.prepare::<S>(sent.request, sent.generation + 1).await?;
        }
        Err(Fail::retry(Code::StripeUnavailable.name(), "Stripe fails at it again and again. Usher goes on trying."))
    }

    /// Speaks to the account, unless something holds everything up until the operator has mended it.
    pub async fn client(&mut self) -> Result<Client, Fail> {
        let (connection, client) = job::to_write(self.app, self.site).await?;
        let account = connection.acts_for.as_ref().unwrap_or(&connection.account_id);
        if self.at.account.get_or_insert_with(|| account.clone()) != account {
            let text = "The site was connected to another Stripe account after this had begun. Call the tool again.";
            return Err(Fail::fatal(Code::StripeRefused.name(), text));
        }
        Ok(client)
    }

    /// What becomes of an attempt that Stripe did not let through.
    pub async fn failed(&self, error: Error) -> Fail {
        job::failed(self.app, self.run, error).await
    }

    /// Writes what is wanted of a thing that is there, once. Doing it twice is harmless, so each time has a key of its own.
    pub async fn set<T: DeserializeOwned>(&self, client: &Client, request: &Request<T>) -> Result<T, Error> {
        let id: RequestId = self.app.clock.id();
        let key = format!("usher:{}:{}:set:{id}", self.site, self.run.job_id);
        Ok(client.write(request.stored(), &key).await?.value)
    }

    fn is_old(&self, sent: &Sent) -> bool {
        self.app.clock.now().since(Time::from_micros(sent.first_sent_at)) >= KEY_LIVES
    }

    fn key<S: Step>(&self, sent: &Sent) -> String {
        format!("usher:{}:{}:{}:g{}", self.site, self.run.job_id, S::NAME, sent.generation)
    }

    async fn found<S: Step>(
        &self,
        step: &S,
        client: &Client,
        request: &StoredRequest,
    ) -> Result<Option<S::View>, Fail> {
        match step.find(client, &self.op(S::NAME), request).await {
            Ok(found) => Ok(found),
            Err(error) => Err(self.failed(error).await),
        }
    }

    /// Commits what is about to be sent.
    async fn prepare<S: Step>(&mut self, request: StoredRequest, generation: u32) -> Result<Sent, Fail> {
        let sent = Sent { request, generation, first_sent_at: self.app.clock.now().micros() };
        self.note::<S>(Entry::Sent(sent.clone())).await?;
        Ok(sent)
    }

    async fn note<S: Step>(&mut self, entry: Entry) -> Result<(), Fail> {
        self.at.steps.insert(S::NAME.to_owned(), entry);
        let mut tx = self.app.db.begin().await?;
        self.run.checkpoint(&mut tx, &self.at, &self.progress()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps what was made, and what comes of it.
    async fn keep<S: Step>(&mut self, step: &S, view: S::View, end: End<'_, S::Made>) -> Result<S::Made, Fail> {
        let made = step.made(view);
        let value = serde_json::to_value(&made).map_err(|error| Fail::fatal("internal", error.to_string()))?;
        self.at.steps.insert(S::NAME.to_owned(), Entry::Made(value));
        let mut tx = self.app.db.begin().await?;
        self.run.checkpoint(&mut tx, &self.at, &self.progress()).await?;
        step.keep(&mut tx, &made).await??;
        if let End::Ends(result) = end {
            let all = json!({ "total": self.n_steps, "done": self.n_steps });
            self.run.finish(&mut tx, &result(&made), &all).await?;
        }
        tx.commit().await?;
        Ok(made)
    }

    fn progress(&self) -> Value {
        let done = self.at.steps.values().filter(|entry| matches!(entry, Entry::Made(_))).count();
        json!({ "total": self.n_steps.max(done), "done": done })
    }
}
