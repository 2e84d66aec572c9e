//! What becomes of an attempt that Stripe did not let through.

use std::time::Duration;

use usher_jobs::Fail;
use usher_stripe::{Error, Kind};

use super::{HELD_UP, Outbox, look::said};
use crate::{
    areas::billing::{ready::PARKED, store},
    error::Code,
};

impl Outbox<'_> {
    /// What becomes of the attempt.
    pub async fn failed(&self, error: Error) -> Fail {
        let unavailable = Code::StripeUnavailable.name();
        let text = "Stripe does not answer as it should. Usher goes on trying.";
        match error.kind() {
            Kind::Retry { after: Some(after) } => Fail::after(self.spread(after), unavailable, text).because(error),
            Kind::Retry { after: None } | Kind::LookUpFirst | Kind::IdempotencyClash => {
                Fail::retry(unavailable, text).because(error)
            }
            Kind::Permission => self.park(error).await,
            Kind::Missing | Kind::Refused => Fail::fatal(Code::StripeRefused.name(), said(&error)),
        }
    }

    async fn park(&self, error: Error) -> Fail {
        tracing::error!(site = %self.site, job = self.run.job_id, %error, "the key of a site may not write at Stripe");
        metrics::counter!("usher_stripe_alarms_total", "what" => "parked").increment(1);
        let parked = async {
            let mut tx = self.app.db.begin().await?;
            store::park(tx.conn(), self.site, &error.to_string(), self.app.clock.now()).await?;
            tx.commit().await
        };
        match parked.await {
            Ok(()) => Fail::after(HELD_UP, Code::StripeParked.name(), PARKED).because(error),
            Err(error) => error.into(),
        }
    }

    /// A wait, a little longer for some jobs than for others.
    fn spread(&self, wait: Duration) -> Duration {
        let sum = self.run.job_id.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        wait + wait.mul_f64(f64::from(sum % 256) / 1024.0)
    }
}
