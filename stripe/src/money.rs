//! How Stripe counts money: in whole minor units of a currency, with rules that are Stripe's and not ISO 4217's.
//!
//! Most currencies have two decimals (`1234` is 12.34 EUR), some none (`1200` is 1200 JPY), five have three, of which Stripe
//! takes only those that end in 0. Two have none and are counted with two all the same, the last always `00` (`500` is
//! 5 ISK). As Stripe documents it at <https://docs.stripe.com/currencies>.

use std::fmt;

mod currencies;
use currencies::{CODES, MINIMA, THREE_DECIMALS, WHOLE_WITH_TWO_DECIMALS, ZERO_DECIMALS};

/// The largest amount that a card can be charged, in minor units of any currency.
pub const MAX_AMOUNT: i64 = 999_999_999_999;

/// A currency of ISO 4217 in which Stripe can charge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(&'static str);

impl Currency {
    /// Takes a code of three letters, in whatever case.
    pub fn parse(text: &str) -> Result<Self, UnknownCurrency> {
        let found = CODES.iter().find(|code| code.eq_ignore_ascii_case(text));
        found.map(|code| Self(code)).ok_or(UnknownCurrency)
    }

    /// Its code in capitals, as people write it.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Its code in small letters, as Stripe writes it.
    pub fn stripe_code(self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// How many of an amount's digits are decimals.
    pub fn n_decimals(self) -> u32 {
        match self.0 {
            code if ZERO_DECIMALS.contains(&code) => 0,
            code if THREE_DECIMALS.contains(&code) => 3,
            _ => 2,
        }
    }

    /// What every amount is a multiple of: 1, or 10 or 100 where the last digits must be 0.
    pub fn step(self) -> i64 {
        match self.0 {
            code if THREE_DECIMALS.contains(&code) => 10,
            code if WHOLE_WITH_TWO_DECIMALS.contains(&code) => 100,
            _ => 1,
        }
    }

    /// The least that can be charged in it, in minor units, where Stripe says so. It holds for an account that is paid out
    /// in this currency; where the money is converted, the minimum of the other currency holds.
    pub fn minimum(self) -> Option<i64> {
        MINIMA.iter().find(|(code, _)| *code == self.0).map(|(_, minimum)| *minimum)
    }

    /// Whether Stripe would take it as a price, in minor units. Nothing (0) is a price too.
    pub fn check(self, amount: i64) -> Result<(), BadAmount> {
        let (step, minimum) = (self.step(), self.minimum().unwrap_or(1));
        let money = |amount| Money { amount, currency: self };
        match amount {
            0 => Ok(()),
            _ if amount < 0 => Err(BadAmount::Negative),
            _ if amount > MAX_AMOUNT => Err(BadAmount::TooLarge { maximum: money(MAX_AMOUNT / step * step) }),
            _ if amount % step != 0 => Err(BadAmount::NotAMultiple { currency: self, step }),
            _ if amount < minimum => Err(BadAmount::TooSmall { minimum: money(minimum) }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An amount of a currency. It is written as `12.34 EUR`, `1200 JPY`, `-0.05 USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// In minor units, as Stripe counts them.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, step) = (self.amount.unsigned_abs(), self.currency.step().unsigned_abs());
        let n_decimals = self.currency.n_decimals();
        let one = 10_u64.pow(n_decimals);
        let sign = if self.amount < 0 { "-" } else { "" };
        let (whole, rest) = (amount / one, amount % one);
        if n_decimals == 0 || (step == one && rest == 0) {
            write!(f, "{sign}{whole} {}", self.currency)
        } else {
            let width = n_decimals as usize;
            write!(f, "{sign}{whole}.{rest:0width$} {}", self.currency)
        }
    }
}

/// A text is no currency that Stripe charges in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is no currency that Stripe charges in. Give its code of three letters, such as EUR.")]
pub struct UnknownCurrency;

/// Why an amount cannot be a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// Less than nothing.
    #[error("A price cannot be negative.")]
    Negative,
    /// Less than Stripe charges.
    #[error("The smallest price that Stripe charges is {minimum}; 0 is free.")]
    TooSmall {
        /// The least.
        minimum: Money,
    },
    /// More than a card can be charged.
    #[error("The largest price that Stripe charges is {maximum}.")]
    TooLarge {
        /// The most.
        maximum: Money,
    },
    /// It has decimals that Stripe does not take in this currency.
    #[error("An amount of {currency} must be a multiple of {step} minor units.")]
    NotAMultiple {
        /// Of what.
        currency: Currency,
        /// The multiple.
        step: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money { amount, currency: Currency::parse(code).unwrap() }
    }

    #[test]
    fn it_is_written_as_people_write_it() {
        for (amount, code, text) in [
            (1234, "eur", "12.34 EUR"),
            (5, "USD", "0.05 USD"),
            (-5, "usd", "-0.05 USD"),
            (0, "gbp", "0.00 GBP"),
            (1200, "jpy", "1200 JPY"),
            (-1200, "Krw", "-1200 KRW"),
            (5120, "kwd", "5.120 KWD"),
            (500, "isk", "5 ISK"),
            (6_000_000, "ugx", "60000 UGX"),
            (550, "isk", "5.50 ISK"),
            (1045, "huf", "10.45 HUF"),
            (80045, "twd", "800.45 TWD"),
            (i64::MIN, "eur", "-92233720368547758.08 EUR"),
        ] {
            assert_eq!(money(amount, code).to_string(), text);
        }
    }

    #[test]
    fn prices_are_checked_as_stripe_would() {
        let check = |amount, code: &str| Currency::parse(code).unwrap().check(amount);
        for (amount, code) in
            [(0, "eur"), (50, "eur"), (50, "jpy"), (5120, "kwd"), (500, "isk"), (500, "ugx"), (1, "gel")]
        {
            assert_eq!(check(amount, code), Ok(()), "{amount} {code}");
        }
        assert_eq!(check(-1, "eur"), Err(BadAmount::Negative));
        assert_eq!(check(49, "eur"), Err(BadAmount::TooSmall { minimum: money(50, "eur") }));
        assert_eq!(check(17_499, "huf"), Err(BadAmount::TooSmall { minimum: money(17_500, "huf") }));
        assert_eq!(check(MAX_AMOUNT + 1, "eur"), Err(BadAmount::TooLarge { maximum: money(MAX_AMOUNT, "eur") }));
        assert!(matches!(check(5124, "kwd"), Err(BadAmount::NotAMultiple { step: 10, .. })));
        assert!(matches!(check(550, "isk"), Err(BadAmount::NotAMultiple { step: 100, .. })));
        assert_eq!(
            check(49, "eur").unwrap_err().to_string(),
            "The smallest price that Stripe charges is 0.50 EUR; 0 is free."
        );
    }

    #[test]
    fn codes_are_known_whatever_their_case() {
        assert_eq!(Currency::parse("eUr").unwrap().code(), "EUR");
        assert_eq!(Currency::parse("EUR").unwrap().stripe_code(), "eur");
        for text in ["", "eu", "euro", "xxx", "€", "zzz"] {
            assert_eq!(Currency::parse(text), Err(UnknownCurrency), "{text}");
        }
    }

    #[test]
    fn every_table_speaks_of_known_codes() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
        let named = MINIMA.iter().map(|(code, _)| code);
        for code in named.chain(&ZERO_DECIMALS).chain(&THREE_DECIMALS).chain(&WHOLE_WITH_TWO_DECIMALS) {
            assert!(CODES.binary_search(code).is_ok(), "{code}");
        }
        for (code, minimum) in MINIMA {
            assert_eq!(minimum % Currency::parse(code).unwrap().step(), 0, "{code}");
        }
    }
}
