//! What was paid for a subscription, span by span, and since when a payment is overdue: by its invoices at Stripe.

use std::collections::{BTreeMap, BTreeSet};

use usher_stripe::views::{Invoice, InvoiceStatus};

use super::time;
use crate::{
    areas::subscriptions::PaidSpan,
    values::{PlanId, Time},
};

/// The spans that are kept of a subscription, the newest ones.
const MAX_SPANS: usize = 100;

/// What the invoices of a subscription say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::areas::billing) struct Paid {
    /// What was paid for, the newest first.
    pub(super) spans: Vec<PaidSpan>,
    /// When the first of the payments that are overdue was due.
    overdue_since: Option<Time>,
    /// The invoice of that payment, by Stripe's id.
    overdue: Option<String>,
    /// All invoices that Stripe lists, by its ids.
    pub(super) invoices: BTreeSet<String>,
}

impl Paid {
    /// Reads a subscription's invoices, the newest first as Stripe lists them. `plans` are those of prices, and `refunds`
    /// what was given back of invoices, by Stripe's ids.
    pub(super) fn read(
        invoices: &[Invoice],
        plans: &BTreeMap<String, PlanId>,
        refunds: &BTreeMap<String, i64>,
    ) -> Self {
        let mut paid =
            Self { invoices: invoices.iter().map(|invoice| invoice.id.clone()).collect(), ..Self::default() };
        for invoice in invoices.iter().filter(|one| one.status == Some(InvoiceStatus::Paid)) {
            let refunded = refunds.get(&invoice.id).copied().unwrap_or_default();
            // What is taken off for time that was not used is no span, and a fee for no time neither.
            let lines = invoice.lines.data.iter().filter(|line| line.amount >= 0);
            for (line, period) in lines.filter_map(|line| Some((line, line.period?))) {
                if period.start < period.end {
                    paid.spans.push(PaidSpan {
                        plan_id: line.price_id().and_then(|price| plans.get(price)).cloned(),
                        starts_at: time(period.start),
                        ends_at: time(period.end),
                        invoice: invoice.id.clone(),
                        paid: invoice.amount_paid,
                        refunded,
                    });
                }
            }
        }
        // Stable, so that of spans that begin together that of the newer invoice stays before the other.
        paid.spans.sort_by_key(|span| std::cmp::Reverse(span.starts_at));
        paid.spans.truncate(MAX_SPANS);
        let is_unpaid = |one: &&Invoice| {
            matches!(one.status, Some(InvoiceStatus::Open | InvoiceStatus::Uncollectible)) && one.amount_due > 0
        };
        // Payments that failed in a row: since the last that was made.
        let last = invoices.iter().filter(|one| one.status == Some(InvoiceStatus::Paid)).map(|one| one.created).max();
        let overdue: Vec<_> = invoices.iter().filter(is_unpaid).collect();
        let in_a_row = overdue.iter().filter(|one| last.is_none_or(|last| last <= one.created));
        let first = in_a_row.min_by_key(|one| due(one)).or_else(|| overdue.first());
        paid.overdue_since = first.map(|one| time(due(one)));
        paid.overdue = first.map(|one| one.id.clone());
        paid
    }

    /// When the first of the payments that are overdue was due.
    pub(super) fn overdue_since(&self) -> Option<Time> {
        self.overdue_since
    }

    /// The span that ends last.
    pub(super) fn last(&self) -> Option<&PaidSpan> {
        self.spans.iter().max_by_key(|span| span.ends_at)
    }

    /// The running period: the newest span that has begun. Of spans that began together it is that which ends last.
    fn running(&self, now: Time) -> Option<&PaidSpan> {
        let newest = self.spans.iter().find(|span| span.starts_at <= now)?;
        let same = |span: &&PaidSpan| span.starts_at == newest.starts_at && span.invoice == newest.invoice;
        self.spans.iter().filter(same).max_by_key(|span| span.ends_at)
    }

    /// The invoices that were paid for any of the running period.
    fn of_running(&self, now: Time) -> BTreeMap<&str, (i64, i64)> {
        let Some(running) = self.running(now) else { return BTreeMap::new() };
        let overlaps = |span: &&PaidSpan| span.starts_at < running.ends_at && running.starts_at < span.ends_at;
        let begun = self.spans.iter().filter(overlaps).filter(|span| span.starts_at <= now);
        begun.map(|span| (span.invoice.as_str(), (span.paid, span.refunded))).collect()
    }

    /// If all that was paid for the running period was given back: when that period ends. What cost nothing was paid, and
    /// cannot be given back.
    pub(super) fn returned(&self, now: Time) -> Option<Time> {
        let running = self.running(now).filter(|span| span.paid > 0 && now < span.ends_at)?;
        let invoices = self.of_running(now);
        let (paid, refunded) = invoices.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (refunded >= paid).then_some(running.ends_at)
    }

    /// The invoices of the running period, and the first that is overdue, by Stripe's ids: access may depend on them.
    pub(super) fn decisive(&self, now: Time) -> BTreeSet<String> {
        let running = self.of_running(now).into_keys().map(str::to_owned);
        running.chain(self.overdue.clone()).collect()
    }
}

/// When an invoice was due: by its terms if it was sent, else when it was made, as it is charged then.
fn due(invoice: &Invoice) -> i64 {
    invoice.due_date.unwrap_or(invoice.created)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_800_000_000;

    fn days(n: i64) -> i64 {
        NOW + n * DAY
    }

    fn invoice(id: &str, status: &str, (created, amount): (i64, i64), lines: &[(&str, i64, i64, i64)]) -> Value {
        let line = |(price, amount, from, until): &(&str, i64, i64, i64)| {
            json!({ "id": "il_1", "amount": amount, "price": { "id": price },
                    "period": { "start": days(*from), "end": days(*until) } })
        };
        json!({
            "id": id, "status": status, "created": days(created), "amount_due": amount,
            "amount_paid": if status == "paid" { amount } else { 0 },
            "lines": { "data": lines.iter().map(line).collect::<Vec<_>>(), "has_more": false },
        })
    }

    /// Reads invoices, of which `refunds` were given back.
    fn paid(invoices: &[Value], refunds: &[(&str, i64)]) -> Paid {
        let invoices = invoices.iter().map(|one| serde_json::from_value(one.clone()).expect("an invoice"));
        let refunds = refunds.iter().map(|(id, amount)| ((*id).to_owned(), *amount)).collect();
        Paid::read(&invoices.collect::<Vec<_>>(), &BTreeMap::new(), &refunds)
    }

    fn returned(paid: &Paid) -> Option<i64> {
        paid.returned(time(NOW)).map(|end| (end.micros() / 1_000_000 - NOW) / DAY)
    }

    #[test]
    fn a_newer_payment_counts_whatever_was_given_back_of_older_ones() {
        let yearly = invoice("in_1", "paid", (-20, 9000), &[("year", 9000, -20, 345)]);
        let monthly = invoice("in_2", "paid", (-1, 900), &[("year", -8000, -1, 345), ("month", 900, -1, 30)]);
        assert_eq!(returned(&paid(std::slice::from_ref(&yearly), &[("in_1", 9000)])), Some(345));
        assert_eq!(returned(&paid(&[monthly.clone(), yearly.clone()], &[("in_1", 9000)])), None);
        assert_eq!(returned(&paid(&[monthly, yearly], &[("in_1", 9000), ("in_2", 900)])), Some(30));
    }

    #[test]
    fn a_part_that_was_given_back_ends_nothing() {
        let first = invoice("in_1", "paid", (-10, 900), &[("basic", 900, -10, 20)]);
        let upgrade = invoice("in_2", "paid", (-2, 150), &[("basic", -600, -2, 20), ("gold", 750, -2, 20)]);
        let both = [upgrade, first];
        assert_eq!(returned(&paid(&both, &[("in_2", 150)])), None);
        assert_eq!(returned(&paid(&both, &[("in_1", 900)])), None);
        assert_eq!(returned(&paid(&both, &[("in_1", 900), ("in_2", 150)])), Some(20));
    }

    #[test]
    fn prices_of_other_periods_beside_each_other_count_together() {
        let first = invoice("in_1", "paid", (-40, 9900), &[("year", 9000, -40, 325), ("month", 900, -40, -10)]);
        let second = invoice("in_2", "paid", (-10, 900), &[("month", 900, -10, 20)]);
        assert_eq!(returned(&paid(&[second.clone(), first.clone()], &[("in_1", 9900)])), None);
        assert_eq!(returned(&paid(&[second, first], &[("in_2", 900)])), None);
    }

    #[test]
    fn what_cost_nothing_is_paid_and_cannot_be_given_back() {
        let trial = invoice("in_1", "paid", (-2, 0), &[("month", 0, -2, 12)]);
        assert_eq!(returned(&paid(std::slice::from_ref(&trial), &[])), None);
        assert_eq!(returned(&paid(&[trial], &[("in_1", 0)])), None);
    }

    #[test]
    fn a_period_that_is_over_or_has_not_begun_was_not_given_back() {
        let over = invoice("in_1", "paid", (-40, 900), &[("month", 900, -40, -10)]);
        assert_eq!(returned(&paid(&[over], &[("in_1", 900)])), None);
        let ahead = invoice("in_1", "paid", (-1, 900), &[("month", 900, 5, 35)]);
        assert_eq!(returned(&paid(&[ahead], &[("in_1", 900)])), None);
    }

    #[test]
    fn a_payment_is_overdue_from_when_it_was_due() {
        let since =
            |invoices: &[Value]| paid(invoices, &[]).overdue_since().map(|at| (at.micros() / 1_000_000 - NOW) / DAY);
        let first = invoice("in_1", "paid", (-60, 900), &[("month", 900, -60, -30)]);
        let mut sent = invoice("in_2", "open", (-30, 900), &[("month", 900, -30, 0)]);
        assert_eq!(since(&[sent.clone(), first.clone()]), Some(-30));
        sent["due_date"] = json!(days(-1));
        assert_eq!(since(&[sent.clone(), first.clone()]), Some(-1));
        // Of several in a row the first counts; not one that is older than what was paid since.
        let later = invoice("in_3", "open", (0, 900), &[("month", 900, 0, 30)]);
        assert_eq!(since(&[later, sent.clone(), first]), Some(-1));
        let newer = invoice("in_3", "paid", (0, 900), &[("month", 900, 0, 30)]);
        let upgrade = invoice("in_4", "open", (0, 150), &[("gold", 150, 0, 30)]);
        assert_eq!(since(&[upgrade, newer, sent]), Some(0));
        assert_eq!(since(&[]), None);
    }
}
