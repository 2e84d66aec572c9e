//! What a new plan may cost, and how often.

use poem_openapi::Enum;
use usher_stripe::money::Currency;

use super::types::Every;
use crate::error::{Error, Result};

/// How often a new plan is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "PlanPeriod", rename_all = "snake_case")]
pub enum Period {
    /// Once and for all.
    OneTime,
    /// Every so many months.
    Month,
    /// Every so many years.
    Year,
}

/// What a new plan costs.
#[derive(Clone, Debug)]
pub struct Offer {
    /// In minor units.
    pub amount: i64,
    /// Of three letters, as typed.
    pub currency: String,
    /// How often.
    pub every: Period,
    /// One payment for so many of them.
    pub every_n: Option<u32>,
    /// Days at the beginning that are free.
    pub trial_days: u32,
}

/// Months of the longest period, and years.
const LONGEST: [u32; 2] = [36, 3];

impl Offer {
    /// Its currency in capitals, its period and its number, if Stripe would sell it.
    pub fn checked(&self) -> Result<(String, Every, u32)> {
        let currency =
            Currency::parse(&self.currency).map_err(|error| Error::refused("args.currency", error.to_string()))?;
        currency.check(self.amount).map_err(|error| Error::refused("args.amount", error.to_string()))?;
        let n = self.every_n.unwrap_or(1);
        let [months, years] = LONGEST;
        let every = match self.every {
            Period::OneTime if n != 1 => {
                return Err(Error::refused("args.everyN", "what is paid once has no number of periods"));
            }
            Period::OneTime if self.trial_days > 0 => {
                return Err(Error::refused("args.trialDays", "what is paid once has no trial; use access.setTrial"));
            }
            Period::Month if n > months => {
                return Err(Error::refused("args.everyN", format!("Stripe allows at most {months} months")));
            }
            Period::Year if n > years => {
                return Err(Error::refused("args.everyN", format!("Stripe allows at most {years} years")));
            }
            Period::OneTime => Every::OneTime,
            Period::Month => Every::Month,
            Period::Year => Every::Year,
        };
        Ok((currency.code().to_owned(), every, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(amount: i64, currency: &str, every: Period, every_n: Option<u32>) -> Offer {
        Offer { amount, currency: currency.into(), every, every_n, trial_days: 0 }
    }

    #[test]
    fn prices_that_stripe_takes_are_taken() {
        for (amount, currency) in [(900, "eur"), (0, "USD"), (50, "Jpy"), (5120, "KWD"), (500, "isk")] {
            let taken = offer(amount, currency, Period::Month, Some(36)).checked().unwrap();
            assert_eq!(taken, (currency.to_ascii_uppercase(), Every::Month, 36));
        }
    }

    #[test]
    fn others_are_refused_with_the_field_that_is_wrong() {
        for (offer, field) in [
            (offer(49, "eur", Period::Month, None), "args.amount"),
            (offer(5124, "kwd", Period::Month, None), "args.amount"),
            (offer(550, "isk", Period::Month, None), "args.amount"),
            (offer(900, "xyz", Period::Month, None), "args.currency"),
            (offer(900, "eur", Period::Month, Some(37)), "args.everyN"),
            (offer(900, "eur", Period::Year, Some(4)), "args.everyN"),
            (offer(900, "eur", Period::OneTime, Some(2)), "args.everyN"),
            (Offer { trial_days: 7, ..offer(900, "eur", Period::OneTime, None) }, "args.trialDays"),
        ] {
            let error = offer.checked().unwrap_err();
            assert!(error.message().starts_with(field), "{offer:?}: {error:?}");
        }
    }
}
