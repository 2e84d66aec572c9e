//! What time brings: each thing that will happen has one moment, and happens in their order.

use std::collections::{BTreeSet, HashMap};

use crate::{account::Account, billing, payments};

/// What something will happen to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A checkout expires.
    Session(String),
    /// A draft is finalised, a payment is tried again.
    Invoice(String),
    /// A period or a trial ends, a pause ends, a subscription is cancelled.
    Subscription(String),
}

/// The moments of what will happen.
#[derive(Debug, Default)]
pub struct Schedule {
    order: BTreeSet<(i64, Due)>,
    moments: HashMap<Due, i64>,
}

impl Schedule {
    /// Sets the one moment of a thing; `None` forgets it.
    pub fn set(&mut self, due: Due, at: Option<i64>) {
        if let Some(old) = self.moments.remove(&due) {
            self.order.remove(&(old, due.clone()));
        }
        if let Some(at) = at {
            self.moments.insert(due.clone(), at);
            self.order.insert((at, due));
        }
    }

    /// The next moment at which something happens.
    pub fn next(&self) -> Option<i64> {
        self.order.first().map(|(at, _)| *at)
    }

    fn pop(&mut self, until: i64) -> Option<Due> {
        if self.next()? > until {
            return None;
        }
        let (_, due) = self.order.pop_first()?;
        self.moments.remove(&due);
        Some(due)
    }
}

impl Account {
    /// Lets happen what is due by now.
    pub fn run_due(&mut self) {
        while let Some(due) = self.schedule.pop(self.now) {
            match due {
                Due::Session(id) => self.expire_session(&id),
                Due::Invoice(id) => payments::invoice_due(self, &id),
                Due::Subscription(id) => billing::subscription_due(self, &id),
            }
        }
    }
}
