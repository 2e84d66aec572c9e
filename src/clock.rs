//! Time and ids, which come from here and from nowhere else, so that tests can fix them.

use std::sync::Arc;

use parking_lot::Mutex;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::values::{Id, KeyId, Kind, SiteId, Time};

/// The time, and the ids that are made from it.
#[derive(Clone)]
pub struct Clock {
    source: Source,
    context: Arc<Mutex<ContextV7>>,
}

#[derive(Clone)]
enum Source {
    System,
    Fixed(Arc<Mutex<Time>>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(Source::System)
    }

    /// A clock that stands still until it is [advanced](Clock::advance), for tests.
    pub fn fixed(at: Time) -> Self {
        Self::new(Source::Fixed(Arc::new(Mutex::new(at))))
    }

    fn new(source: Source) -> Self {
        // The counter in the ids keeps those of one microsecond in order.
        Self { source, context: Arc::new(Mutex::new(ContextV7::new())) }
    }

    /// Now.
    pub fn now(&self) -> Time {
        match &self.source {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
            Source::System => Time::from_micros(chrono::Utc::now().timestamp_micros()),
            Source::Fixed(time) => *time.lock(),
        }
    }

    /// Moves a fixed clock on.
    ///
    /// # Panics
    /// If it is the machine's.
    pub fn advance(&self, by: std::time::Duration) {
        match &self.source {
            Source::System => panic!("the machine's clock moves by itself"),
            Source::Fixed(time) => {
                let mut time = time.lock();
                *time = *time + by;
            }
        }
    }

    /// A new id: later ones of this process sort after it.
    pub fn id<K: Kind>(&self) -> Id<K> {
        Id::of(self.uuid())
    }

    /// A new key's id, which names its site.
    pub fn key_id(&self, site: SiteId) -> KeyId {
        let site = u128::from(u32::try_from(site.number()).expect("sites are numbered from 1 in 32 bits"));
        Id::of(Uuid::from_u128(self.uuid().as_u128() >> 32 << 32 | site))
    }

    fn uuid(&self) -> Uuid {
        let now = self.now().micros();
        let (seconds, nanos) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000) * 1000);
        let context = self.context.lock();
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds as u64, nanos as u32))
    }
}
