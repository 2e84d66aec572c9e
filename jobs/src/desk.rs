//! Where apalis' worker gets its tasks: takes tickets, claims their jobs in the same transaction, and hands
//! out jobs that have started.
//!
//! The statements run on tasks of their own. apalis stops driving a fetch while it shuts down or is paused,
//! and a transaction left open there would hold SQLite's one writer.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    backend::{
        Backend, BackendConfig,
        ext::poll_strategy::{PollSnapshot, PollStrategy},
        finalize::Ephemeral,
        persistence::{Persisted, Persistence, TaskEvent},
    },
    task::Task,
    worker::context::WorkerContext,
};
use tokio::{
    sync::{Notify, futures::OwnedNotified},
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval},
};
use tower_layer::Identity;
use ulid::Ulid;
use usher_db::Error;

use crate::{
    Queue, Result,
    execute::Shop,
    settle,
    ticket::{self, other},
};

/// A job that runs already. apalis waits for it, so that it counts against the queue's limit.
pub(crate) struct Started(pub(crate) JoinHandle<()>);

/// Whether there is reason to fetch.
#[derive(Debug, Default)]
pub(crate) struct Due(AtomicU8);

const NO: u8 = 0;
/// There may be a ticket: look before writing anything.
const LOOK: u8 = 1;
/// There is one.
const YES: u8 = 2;

impl Due {
    fn at_least(&self, due: u8) {
        self.0.fetch_max(due, Relaxed);
    }
}

/// One queue of one worker.
#[derive(Clone)]
pub(crate) struct Desk {
    shop: Arc<Shop>,
    queue: Queue,
    due: Arc<Due>,
}

impl Desk {
    async fn take(self, worker: WorkerContext, free: usize, due: u8) -> Result<Vec<Task<Started>>> {
        let jobs = &self.shop.jobs;
        let _claiming = self.shop.claiming.read().await;
        if *self.shop.stop.borrow() || (due == LOOK && !ticket::is_due(jobs.db(), self.queue).await?) {
            return Ok(Vec::new());
        }
        let mut tx = jobs.db().begin().await?;
        let tickets = ticket::take(&mut tx, self.queue, &worker, free).await?;
        if tickets.is_empty() {
            tx.rollback().await?;
            return Ok(Vec::new());
        }
        let claims = settle::claim(jobs, &mut tx, &tickets).await?;
        ticket::use_up(&mut tx, &tickets).await?;
        tx.commit().await?;
        if tickets.len() == free {
            self.due.at_least(YES); // There may be more, once a place is free.
        }
        if claims.len() < tickets.len() {
            tracing::debug!(unused = tickets.len() - claims.len(), "tickets whose jobs need no run");
            self.due.at_least(YES);
        }
        Ok(claims.into_iter().map(|claim| Task::new(Started(self.shop.start(self.queue, claim)))).collect())
    }
}

impl Persistence for Desk {
    type Compact = Started;
    type Response = ();
    type Error = Error;

    async fn register(&mut self, worker: &WorkerContext) -> Result<()> {
        self.heartbeat(worker).await
    }

    async fn heartbeat(&mut self, worker: &WorkerContext) -> Result<()> {
        let (shop, queue, name) = (self.shop.clone(), self.queue, worker.name().to_owned());
        tokio::spawn(async move { ticket::register(shop.jobs.db(), queue, &name).await }).await.map_err(other)?
    }

    async fn fetch_next(&mut self, worker: &WorkerContext) -> Result<Vec<Task<Started>>> {
        loop {
            let due = self.due.0.swap(NO, Relaxed);
            if due == NO {
                return Ok(Vec::new());
            }
            let free = self.shop.free(self.queue).min(ticket::BATCH);
            if free == 0 {
                self.due.at_least(due); // A worker that was replaced still has jobs running.
                return Ok(Vec::new());
            }
            let started = tokio::spawn(self.clone().take(worker.clone(), free, due)).await.map_err(other)??;
            // Woken while it looked: look again, for nobody will wake it a second time.
            if !started.is_empty() || self.due.0.load(Relaxed) == NO {
                return Ok(started);
            }
        }
    }

    async fn reenqueue_abandoned(&mut self, tasks: Vec<Task<Started>>, _: &WorkerContext) -> Result<u64> {
        Ok(tasks.len() as u64) // They run; the runner waits for them.
    }

    async fn handle_events(&mut self, _: Vec<TaskEvent<()>>, _: &WorkerContext) -> Result<()> {
        Ok(())
    }

    async fn push_tasks(&mut self, _: Vec<Task<Started>>) -> Result<()> {
        Ok(()) // Only `Jobs::enqueue` writes tickets.
    }
}

/// The desk as apalis drives it.
pub(crate) struct Window {
    desk: Persisted<Desk>,
    heartbeat: Duration,
}

impl Window {
    /// The window, and what makes it look.
    pub(crate) fn open(shop: &Arc<Shop>, queue: Queue) -> (Self, Pulse) {
        let (settings, due) = (shop.jobs.settings(), Arc::new(Due::default()));
        let desk = Desk { shop: shop.clone(), queue, due: due.clone() };
        let pulse = Pulse::new(settings.tick, shop.jobs.bell(queue), &shop.hints[queue as usize], due);
        (Self { desk: Persisted::new(desk), heartbeat: settings.heartbeat }, pulse)
    }
}

impl Backend for Window {
    type Task = Task<Started>;
    type Error = Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<()>> {
        self.desk.poll_ready(cx, worker, self.heartbeat)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<Self::Task>>> {
        self.desk.poll_next(cx, worker)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<()>> {
        self.desk.poll_close(cx, worker)
    }
}

impl BackendConfig for Window {
    type Args = Started;
    type Id = Ulid;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

/// When to look: at each tick, when another process hints at a ticket, and when one was written here.
///
/// apalis' own interval strategy falls asleep when it elapses during a fetch; this one never returns without
/// being woken later, and what wakes it is remembered in [`Due`] until a fetch has seen it.
pub(crate) struct Pulse {
    tick: Interval,
    bell: Ear,
    hint: Ear,
    due: Arc<Due>,
}

struct Ear {
    notify: Arc<Notify>,
    next: Pin<Box<OwnedNotified>>,
}

impl Ear {
    fn new(notify: &Arc<Notify>) -> Self {
        Self { notify: notify.clone(), next: Box::pin(notify.clone().notified_owned()) }
    }

    /// Whether it rang; and has itself woken when it rings next.
    fn rang(&mut self, cx: &mut Context<'_>) -> bool {
        let mut rang = false;
        while self.next.as_mut().poll(cx).is_ready() {
            rang = true;
            self.next.set(self.notify.clone().notified_owned());
        }
        rang
    }
}

impl Pulse {
    fn new(tick: Duration, bell: &Arc<Notify>, hint: &Arc<Notify>, due: Arc<Due>) -> Self {
        let mut tick = interval(tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { tick, bell: Ear::new(bell), hint: Ear::new(hint), due }
    }
}

impl PollStrategy for Pulse {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut due = NO;
        while self.tick.poll_tick(cx).is_ready() {
            due = LOOK;
        }
        if self.hint.rang(cx) {
            due = LOOK;
        }
        if self.bell.rang(cx) {
            due = YES;
        }
        if due == NO {
            return Poll::Pending;
        }
        self.due.at_least(due);
        cx.waker().wake_by_ref(); // One more poll, should a fetch be ending just now.
        Poll::Ready(Some(()))
    }
}
