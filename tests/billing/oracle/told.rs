//! What Stripe says of a subscription, of its invoices and of what became of their payments, as JSON.

use std::collections::BTreeSet;

use serde_json::Value;
use stripe_fake::Control;

use super::Policy;

/// A subscription, and all that was billed for it.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    pub status: String,
    /// Whether nothing is collected for now.
    pub is_paused: bool,
    pub items: Vec<Item>,
    /// What it becomes at the end of its period, if that is settled.
    then: Option<Vec<String>>,
    /// When Stripe's period ends.
    pub period_end: i64,
    pub cancel_at: Option<i64>,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub resumes_at: Option<i64>,
    /// The oldest first.
    pub bills: Vec<Bill>,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    pub price: String,
    pub quantity: i64,
}

/// An invoice.
#[derive(Clone, Debug)]
pub struct Bill {
    pub id: String,
    pub status: String,
    pub number: Option<String>,
    pub total: i64,
    pub created: i64,
    /// When it was to be paid.
    due: i64,
    /// What was to be paid.
    owed: i64,
    pub paid: i64,
    pub refunded: i64,
    /// What the banks took back for good, and what of all they tried to.
    pub lost: i64,
    pub disputed: i64,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    price: String,
    amount: i64,
    from: i64,
    until: i64,
    is_proration: bool,
}

/// A time that was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// The place of its bill.
    pub bill: usize,
    pub price: &'a str,
    pub from: i64,
    pub until: i64,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// All of a list.
fn list(stripe: &Control, path: &str) -> Vec<Value> {
    let page = stripe.owner("GET", &format!("{path}&limit=100"), "").expect("a list");
    assert_eq!(page["has_more"], false, "{path}");
    page["data"].as_array().expect("a list").clone()
}

impl Told {
    pub fn of(stripe: &Control, id: &str) -> Self {
        let one = stripe.owner("GET", &format!("subscriptions/{id}"), "").expect("a subscription");
        let item = |item: &Value| Item {
            id: text(&item["id"]),
            price: text(&item["price"]["id"]),
            quantity: number(&item["quantity"]),
        };
        let data = one["items"]["data"].as_array().expect("items");
        let schedule =
            one["schedule"].as_str().map(|id| stripe.owner("GET", &format!("subscription_schedules/{id}"), ""));
        let then = schedule.map(|schedule| {
            let schedule = schedule.expect("a schedule");
            let last = schedule["phases"].as_array().and_then(|phases| phases.last()).expect("a phase").clone();
            last["items"].as_array().expect("items").iter().map(|item| text(&item["price"])).collect()
        });
        let mut bills = list(stripe, &format!("invoices?subscription={id}"));
        bills.reverse();
        Self {
            id: id.to_owned(),
            status: text(&one["status"]),
            is_paused: !one["pause_collection"].is_null(),
            items: data.iter().map(item).collect(),
            then,
            period_end: number(&data[0]["current_period_end"]),
            cancel_at: one["cancel_at"].as_i64(),
            canceled_at: one["canceled_at"].as_i64(),
            ended_at: one["ended_at"].as_i64(),
            resumes_at: one["pause_collection"]["resumes_at"].as_i64(),
            bills: bills.iter().map(|bill| Bill::of(stripe, bill)).collect(),
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "canceled" | "incomplete_expired")
    }

    pub fn is_overdue(&self) -> bool {
        !self.is_paused && matches!(self.status.as_str(), "past_due" | "unpaid")
    }

    /// What it is for.
    pub(super) fn prices(&self, policy: Policy) -> Vec<&str> {
        let now = self.items.iter().map(|item| item.price.as_str());
        match policy {
            Policy::FirstItem => now.take(1).collect(),
            Policy::LaterIsNow => {
                self.then.as_ref().map_or(now.collect(), |then| then.iter().map(String::as_str).collect())
            }
            Policy::NowIsLater => {
                let is_of_period = |line: &&Line| !line.is_proration;
                let last = self
                    .bills
                    .iter()
                    .rev()
                    .find(|bill| bill.paid > 0 && bill.lines.iter().any(|one| !one.is_proration));
                last.map_or(now.collect(), |bill| {
                    bill.lines.iter().filter(is_of_period).map(|line| line.price.as_str()).collect()
                })
            }
            _ => now.collect(),
        }
    }

    /// What was paid for: each line of a paid bill that charges for a time.
    pub fn spans(&self) -> impl Iterator<Item = Span<'_>> {
        let paid = self.bills.iter().enumerate().filter(|(_, bill)| bill.status == "paid");
        paid.flat_map(|(bill, found)| {
            let charged = found.lines.iter().filter(|line| line.amount >= 0 && line.from < line.until);
            charged.map(move |line| Span { bill, price: &line.price, from: line.from, until: line.until })
        })
    }

    /// Until when it is paid at most.
    pub fn paid_until(&self) -> i64 {
        self.spans().map(|span| span.until).max().unwrap_or_default().min(self.period_end)
    }

    /// When the first of the payments that have failed in a row was due.
    pub fn overdue_since(&self) -> Option<i64> {
        let is_unpaid = |bill: &&Bill| matches!(bill.status.as_str(), "open" | "uncollectible") && bill.owed > 0;
        let last_paid = self.bills.iter().filter(|bill| bill.status == "paid").map(|bill| bill.created).max();
        let in_a_row =
            self.bills.iter().filter(is_unpaid).filter(|bill| last_paid.is_none_or(|last| last <= bill.created));
        in_a_row.map(|bill| bill.due).min().or_else(|| self.bills.iter().rfind(is_unpaid).map(|bill| bill.due))
    }
}

impl Bill {
    fn of(stripe: &Control, one: &Value) -> Self {
        let id = text(&one["id"]);
        let line = |line: &Value| Line {
            price: text(&line["pricing"]["price_details"]["price"]),
            amount: number(&line["amount"]),
            from: number(&line["period"]["start"]),
            until: number(&line["period"]["end"]),
            is_proration: line["parent"]["subscription_item_details"]["proration"] == true,
        };
        let mut lines = one["lines"]["data"].as_array().expect("lines").clone();
        if one["lines"]["has_more"] == true {
            lines = list(stripe, &format!("invoices/{id}/lines?"));
        }
        let mut bill = Self {
            status: text(&one["status"]),
            number: one["number"].as_str().map(str::to_owned),
            total: number(&one["total"]),
            created: number(&one["created"]),
            due: one["due_date"].as_i64().unwrap_or(number(&one["created"])),
            owed: number(&one["amount_due"]),
            paid: number(&one["amount_paid"]),
            refunded: 0,
            lost: 0,
            disputed: 0,
            lines: lines.iter().map(line).collect(),
            id,
        };
        let payments = list(stripe, &format!("invoice_payments?invoice={}&status=paid", bill.id));
        let intents: BTreeSet<_> = payments.iter().map(|one| text(&one["payment"]["payment_intent"])).collect();
        for charge in intents.iter().flat_map(|intent| list(stripe, &format!("charges?payment_intent={intent}"))) {
            bill.refunded += number(&charge["amount_refunded"]);
            for dispute in list(stripe, &format!("disputes?charge={}", text(&charge["id"]))) {
                let amount = number(&dispute["amount"]);
                bill.disputed += amount;
                bill.lost += if dispute["status"] == "lost" { amount } else { 0 };
            }
        }
        bill
    }

    /// The charge that paid it.
    pub fn charge(&self, stripe: &Control) -> Option<Value> {
        let payments = list(stripe, &format!("invoice_payments?invoice={}&status=paid", self.id));
        let intent = text(&payments.first()?["payment"]["payment_intent"]);
        list(stripe, &format!("charges?payment_intent={intent}")).into_iter().find(|charge| charge["paid"] == true)
    }

    pub fn n_lines(&self) -> usize {
        self.lines.len()
    }

    /// What its lines charge, each.
    pub fn charged(&self) -> impl Iterator<Item = i64> {
        self.lines.iter().map(|line| line.amount).filter(|amount| *amount > 0)
    }
}
