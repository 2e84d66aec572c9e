//! The life of a subscription: how it starts, renews, is paused and ends. What happens to its invoices is in `payments`.

use chrono::{DateTime, Months};
use serde_json::Value;

use crate::{
    account::Account,
    clock::Due,
    payments,
    resources::{prices::Recurring, schedules, subscriptions::Subscription},
    table::Record,
};

/// The same day and time so many months later, or the last day of that month.
pub fn months_after(at: i64, months: i64) -> i64 {
    let months = Months::new(u32::try_from(months).unwrap_or(0));
    let later = DateTime::from_timestamp(at, 0).and_then(|at| at.checked_add_months(months));
    later.map_or(at, |later| later.timestamp())
}

/// When the `n`th period after an anchor ends.
pub fn period_end(recurring: &Recurring, anchor: i64, n: u32) -> i64 {
    let n = i64::from(n) * i64::from(recurring.count);
    match recurring.interval.as_str() {
        "day" => anchor + n * 86_400,
        "week" => anchor + n * 7 * 86_400,
        "year" => months_after(anchor, n * 12),
        _ => months_after(anchor, n),
    }
}

/// Changes a subscription, tells of it if anything can be seen of it, and gives it as it is then.
pub fn change(account: &mut Account, id: &str, apply: impl FnOnce(&mut Subscription)) -> Value {
    let before = account.shown(|account| &account.subscriptions, id);
    if let Some(subscription) = account.subscriptions.get_mut(id) {
        apply(subscription);
        account.schedule.set(Due::Subscription(id.to_owned()), subscription.due());
    }
    let after = account.shown(|account| &account.subscriptions, id);
    account.emit_change("customer.subscription.updated", &before, &after);
    after
}

/// A new subscription begins: its first invoice is made and, if asked to, tried to be paid.
pub fn start(account: &mut Account, subscription: Subscription, pay: bool) {
    let id = subscription.id.clone();
    account.schedule.set(Due::Subscription(id.clone()), subscription.due());
    account.subscriptions.insert(subscription);
    let invoice = payments::draft(account, &id, "subscription_create");
    let shown = account.shown(|account| &account.subscriptions, &id);
    account.emit("customer.subscription.created", &shown, None);
    payments::announce(account, &invoice);
    payments::finalize(account, &invoice);
    if pay {
        payments::attempt(account, &invoice);
    }
}

/// A subscription ends now.
pub fn end(account: &mut Account, id: &str, reason: &'static str) {
    let now = account.now;
    let Some(subscription) = account.subscriptions.get_mut(id) else { return };
    subscription.status = "canceled";
    subscription.ended_at = Some(now);
    subscription.canceled_at = subscription.canceled_at.or(Some(now));
    subscription.cancellation.reason = subscription.cancellation.reason.or(Some(reason));
    subscription.pause = None;
    account.schedule.set(Due::Subscription(id.to_owned()), None);
    schedules::cancel_of(account, id);
    let shown = account.shown(|account| &account.subscriptions, id);
    // What is finalised is not collected any more, nor what is still a draft.
    for invoice in payments::unpaid_of(account, id) {
        payments::stop_collecting(account, &invoice);
    }
    account.emit("customer.subscription.deleted", &shown, None);
}

/// What time does to a subscription.
pub fn subscription_due(account: &mut Account, id: &str) {
    let now = account.now;
    let Some(subscription) = account.subscriptions.get(id) else { return };
    let resumes = subscription.pause.as_ref().and_then(|pause| pause.resumes_at);
    if subscription.ended() {
        return;
    }
    if subscription.status == "incomplete" {
        for invoice in payments::unpaid_of(account, id) {
            payments::void(account, &invoice);
        }
        change(account, id, |subscription| {
            (subscription.status, subscription.ended_at) = ("incomplete_expired", Some(now));
        });
    } else if subscription.cancel_at.is_some_and(|at| at <= now) {
        end(account, id, "cancellation_requested");
    } else if resumes.is_some_and(|at| at <= now) {
        // Before the period is looked at: an invoice of this very second is collected again.
        change(account, id, |subscription| subscription.pause = None);
    } else if subscription.status != "paused" && subscription.period.1 <= now {
        renew(account, id);
    }
}

/// The next period begins, with an invoice.
fn renew(account: &mut Account, id: &str) {
    let Some(subscription) = account.subscriptions.get(id) else { return };
    let recurring = subscription.recurring(account);
    let (before, pause) = (subscription.render(account), subscription.pause.clone());
    let unpaid = subscription.status == "unpaid";
    let recurring = if schedules::enter(account, id) {
        // Another interval begins to count now.
        let after = account.subscriptions.get(id).map(|found| found.recurring(account)).unwrap_or_default();
        if let (Some(subscription), true) = (account.subscriptions.get_mut(id), after != recurring) {
            (subscription.anchor, subscription.n_periods) = (subscription.period.1, 0);
        }
        after
    } else {
        recurring
    };
    if let Some(subscription) = account.subscriptions.get_mut(id) {
        subscription.n_periods += 1;
        subscription.period =
            (subscription.period.1, period_end(&recurring, subscription.anchor, subscription.n_periods));
        if subscription.status == "trialing" {
            subscription.status = "active";
        }
        account.schedule.set(Due::Subscription(id.to_owned()), subscription.due());
    }
    let invoice = payments::draft(account, id, "subscription_cycle");
    let after = account.shown(|account| &account.subscriptions, id);
    account.emit_change("customer.subscription.updated", &before, &after);
    payments::announce(account, &invoice);
    match pause.as_ref().map(|pause| pause.behavior.as_str()) {
        Some("void") => payments::void(account, &invoice),
        Some("mark_uncollectible") => payments::mark_uncollectible(account, &invoice),
        Some(_) => payments::stop_collecting(account, &invoice),
        None if unpaid => payments::stop_collecting(account, &invoice),
        None => {
            let at = account.now + account.settings.draft_seconds;
            payments::finalize_at(account, &invoice, at);
        }
    }
}

/// A paused subscription goes on: in a new period that is charged now, or in the one it would be in.
pub fn resume(account: &mut Account, id: &str, unchanged: bool, on_success: bool) {
    let now = account.now;
    let Some(subscription) = account.subscriptions.get(id) else { return };
    let recurring = subscription.recurring(account);
    if unchanged {
        let mut n = subscription.n_periods;
        let anchor = subscription.anchor;
        while period_end(&recurring, anchor, n) <= now {
            n += 1;
        }
        let start = period_end(&recurring, anchor, n.saturating_sub(1));
        let after = change(account, id, |subscription| {
            (subscription.status, subscription.paused_at) = ("active", None);
            (subscription.n_periods, subscription.period) = (n, (start, period_end(&recurring, anchor, n)));
        });
        account.emit("customer.subscription.resumed", &after, None);
        return;
    }
    change(account, id, |subscription| {
        (subscription.anchor, subscription.n_periods) = (now, 1);
        subscription.period = (now, period_end(&recurring, now, 1));
    });
    let invoice = payments::draft(account, id, payments::UPDATE);
    payments::announce(account, &invoice);
    payments::finalize(account, &invoice);
    if !on_success {
        unpause(account, id);
    }
    // If it is paid, it goes on by that.
    payments::attempt(account, &invoice);
}

/// It is active again.
pub fn unpause(account: &mut Account, id: &str) {
    let after = change(account, id, |subscription| {
        (subscription.status, subscription.paused_at) = ("active", None);
    });
    account.emit("customer.subscription.resumed", &after, None);
}
