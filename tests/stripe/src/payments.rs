//! Invoices of subscriptions on their way from draft to paid, and what becomes of a subscription when one is not paid.

use crate::{
    account::{Account, AfterRetries},
    billing,
    clock::Due,
    resources::{
        charges::{self, Charge},
        customers::Customer,
        invoice_payments::InvoicePayment,
        invoices::{Invoice, Line},
        payment_intents::PaymentIntent,
    },
    table::Record,
};

/// The reason of the invoice of a change, and of that with which a paused subscription goes on.
pub const UPDATE: &str = "subscription_update";

/// Makes the invoice of a subscription's current period. Nothing is told of it yet.
pub fn draft(account: &mut Account, subscription: &str, reason: &'static str) -> String {
    let id = account.rng.id("in");
    let now = account.now;
    let Some(found) = account.subscriptions.get(subscription) else { return id };
    let (period, trialing) = (found.period, found.status == "trialing");
    let (customer, currency, metadata) = (found.customer.clone(), found.currency.clone(), found.metadata.clone());
    let last_start = match found.n_periods {
        n @ 2.. => billing::period_end(&found.recurring(account), found.anchor, n - 2),
        _ => found.created,
    };
    let (items, mut discount) = (found.items.clone(), found.discount.clone());
    let mut lines = take_pending(account, subscription);
    for item in items {
        let line_id = account.rng.id("il");
        let Some(price) = account.prices.get(&item.price) else { continue };
        let product = account.products.get(&price.product).map_or("", |product| product.name());
        lines.push(Line {
            id: line_id,
            amount: if trialing { 0 } else { price.unit_amount * item.quantity },
            description: match trialing {
                true => format!("Trial period for {product}"),
                false => format!("{} × {product}", item.quantity),
            },
            period,
            quantity: item.quantity,
            price: item.price,
            product: price.product.clone(),
            item: Some(item.id),
            is_proration: false,
        });
    }
    let subtotal = lines.iter().map(|line| line.amount).sum();
    let off = match &mut discount {
        Some(discount) if subtotal > 0 => discount.take(account, subtotal),
        _ => 0,
    };
    let invoice = Invoice {
        customer,
        subscription: Some(subscription.to_owned()),
        reason,
        currency,
        lines,
        period: if reason == "subscription_cycle" { (last_start, period.0) } else { (now, now) },
        discount: discount.as_ref().map(|discount| (discount.id.clone(), off)),
        parent_metadata: metadata,
        // The first payment of a subscription is not tried again by itself, nor is that of a resumption.
        is_retried: reason == "subscription_cycle",
        ..Invoice::blank(id.clone(), now)
    };
    account.invoices.insert(invoice);
    if let Some(found) = account.subscriptions.get_mut(subscription) {
        found.latest_invoice = Some(id.clone());
        found.discount = discount;
    }
    id
}

/// What waits for the next invoice of a subscription.
pub fn take_pending(account: &mut Account, subscription: &str) -> Vec<Line> {
    account.subscriptions.get_mut(subscription).map(|found| std::mem::take(&mut found.pending)).unwrap_or_default()
}

/// Tells of a new invoice.
pub fn announce(account: &mut Account, id: &str) {
    tell(account, id, "invoice.created");
}

fn tell(account: &mut Account, id: &str, kind: &str) {
    let shown = account.shown(|account| &account.invoices, id);
    account.emit(kind, &shown, None);
}

fn edit(account: &mut Account, id: &str, apply: impl FnOnce(&mut Invoice)) {
    let Some(invoice) = account.invoices.get_mut(id) else { return };
    apply(invoice);
    account.schedule.set(Due::Invoice(id.to_owned()), invoice.due());
}

/// A draft will be finalised by itself.
pub fn finalize_at(account: &mut Account, id: &str, at: i64) {
    edit(account, id, |invoice| invoice.finalizes_at = Some(at));
    if at <= account.now {
        invoice_due(account, id);
    }
}

/// A draft becomes open, and the customer's credit is taken off; more that is credited by it is credit from then on.
pub fn finalize(account: &mut Account, id: &str) {
    let now = account.now;
    let Some(customer) = account.invoices.get(id).map(|invoice| invoice.customer.clone()) else { return };
    let number = account.customers.get_mut(&customer).map(|customer| {
        customer.next_invoice += 1;
        format!("{}-{:04}", customer.invoice_prefix, customer.next_invoice - 1)
    });
    let before = account.customers.get(&customer).map_or(0, |customer| customer.balance);
    let after = account.invoices.get(id).map_or(before, |invoice| (before + invoice.total()).min(0));
    edit(account, id, |invoice| {
        (invoice.status, invoice.number, invoice.finalized_at, invoice.finalizes_at) =
            ("open", number, Some(now), None);
        invoice.balance = Some((before, after));
    });
    set_balance(account, &customer, after);
    tell(account, id, "invoice.finalized");
}

/// Nothing more is collected of an invoice by itself.
pub fn stop_collecting(account: &mut Account, id: &str) {
    edit(account, id, |invoice| {
        (invoice.auto_advance, invoice.next_attempt, invoice.finalizes_at) = (false, None, None);
    });
}

/// An invoice is void; the credit that was taken off is the customer's again.
pub fn void(account: &mut Account, id: &str) {
    let now = account.now;
    let credit = account.invoices.get(id).and_then(|invoice| Some((invoice.customer.clone(), invoice.balance?)));
    if let Some((customer, (before, after))) = credit {
        let balance = account.customers.get(&customer).map_or(0, |customer| customer.balance);
        set_balance(account, &customer, balance + before - after);
    }
    edit(account, id, |invoice| {
        (invoice.status, invoice.voided_at, invoice.auto_advance) = ("void", Some(now), false);
        (invoice.next_attempt, invoice.finalizes_at) = (None, None);
    });
    tell(account, id, "invoice.voided");
}

/// Nobody expects an invoice to be paid any more.
pub fn mark_uncollectible(account: &mut Account, id: &str) {
    let now = account.now;
    edit(account, id, |invoice| {
        (invoice.status, invoice.uncollectible_at, invoice.auto_advance) = ("uncollectible", Some(now), false);
        (invoice.next_attempt, invoice.finalizes_at) = (None, None);
    });
    tell(account, id, "invoice.marked_uncollectible");
}

/// The invoices of a subscription that are drafts or open.
pub fn unpaid_of(account: &Account, subscription: &str) -> Vec<String> {
    let Some(found) = account.subscriptions.get(subscription) else { return vec![] };
    let of_customer = account.invoices.of(&found.customer);
    of_customer
        .filter(|invoice| {
            invoice.subscription.as_deref() == Some(subscription) && matches!(invoice.status, "draft" | "open")
        })
        .map(|invoice| invoice.id.clone())
        .collect()
}

/// What time does to an invoice: a draft is finalised, what is open is tried to be paid.
pub fn invoice_due(account: &mut Account, id: &str) {
    if account.invoices.get(id).is_some_and(|invoice| invoice.status == "draft") {
        finalize(account, id);
    }
    attempt(account, id);
}

/// Tries to have an open invoice paid, and says whether it is paid.
pub fn attempt(account: &mut Account, id: &str) -> bool {
    let Some(invoice) = account.invoices.get(id) else { return false };
    if invoice.status != "open" {
        return invoice.status == "paid";
    }
    let (amount, customer, currency) = (invoice.amount_due(), invoice.customer.clone(), invoice.currency.clone());
    let (payment, subscription) = (invoice.payment.clone(), invoice.subscription.clone());
    if amount == 0 {
        paid(account, id, subscription.as_deref());
        return true;
    }
    let intent = match payment.as_ref().and_then(|payment| account.invoice_payments.get(payment)) {
        Some(payment) => payment.payment_intent.clone(),
        None => begin_payment(account, id, &customer, amount, &currency),
    };
    let works =
        account.customers.get(&customer).and_then(|customer| customer.card.as_ref()).is_some_and(|card| !card.fails);
    charges::charge(account, &intent, works);
    edit(account, id, |invoice| invoice.attempt_count += 1);
    set_delinquent(account, &customer, !works);
    if works {
        paid(account, id, subscription.as_deref());
    } else {
        failed(account, id, subscription.as_deref());
    }
    works
}

/// Makes the payment intent of an invoice.
fn begin_payment(account: &mut Account, invoice: &str, customer: &str, amount: i64, currency: &str) -> String {
    let intent = PaymentIntent::new(account, Some(customer.to_owned()), amount, currency);
    let intent = intent.insert(account);
    let payment = InvoicePayment {
        id: account.rng.id("inpay"),
        created: account.now,
        invoice: invoice.to_owned(),
        payment_intent: intent.clone(),
        amount,
        currency: currency.to_owned(),
        paid_at: None,
    };
    edit(account, invoice, |invoice| invoice.payment = Some(payment.id.clone()));
    account.invoice_payments.insert(payment);
    intent
}

fn set_delinquent(account: &mut Account, customer: &str, delinquent: bool) {
    change_customer(account, customer, |customer| customer.delinquent = delinquent);
}

fn set_balance(account: &mut Account, customer: &str, balance: i64) {
    change_customer(account, customer, |customer| customer.balance = balance);
}

fn change_customer(account: &mut Account, customer: &str, apply: impl FnOnce(&mut Customer)) {
    let before = account.shown(|account| &account.customers, customer);
    if let Some(customer) = account.customers.get_mut(customer) {
        apply(customer);
    }
    let after = account.shown(|account| &account.customers, customer);
    account.emit_change("customer.updated", &before, &after);
}

fn paid(account: &mut Account, id: &str, subscription: Option<&str>) {
    let now = account.now;
    edit(account, id, |invoice| {
        (invoice.status, invoice.paid_at, invoice.next_attempt) = ("paid", Some(now), None);
    });
    let payment = account.invoices.get(id).and_then(|invoice| invoice.payment.clone());
    if let Some(payment) = payment.and_then(|payment| account.invoice_payments.get_mut(&payment)) {
        payment.paid_at = Some(now);
        let payment = payment.id.clone();
        let shown = account.shown(|account| &account.invoice_payments, &payment);
        account.emit("invoice_payment.paid", &shown, None);
    }
    if let Some(subscription) = subscription {
        // An older one leaves it as it is: what is billed last says whether it is paid for.
        let is_last = is_last(account, id, subscription);
        billing::change(account, subscription, |subscription| {
            if is_last && matches!(subscription.status, "incomplete" | "past_due" | "unpaid") {
                subscription.status = "active";
            }
        });
        let resumes = account.invoices.get(id).is_some_and(|invoice| invoice.reason == UPDATE);
        if resumes && account.subscriptions.get(subscription).is_some_and(|found| found.status == "paused") {
            billing::unpause(account, subscription);
        }
    }
    tell(account, id, "invoice.paid");
    tell(account, id, "invoice.payment_succeeded");
}

/// Whether no later invoice of a subscription is open.
fn is_last(account: &Account, id: &str, subscription: &str) -> bool {
    let Some(found) = account.subscriptions.get(subscription) else { return false };
    let of_it = account.invoices.of(&found.customer).filter(|one| one.subscription.as_deref() == Some(subscription));
    !of_it.skip_while(|one| one.id != id).skip(1).any(|one| matches!(one.status, "open" | "uncollectible"))
}

fn failed(account: &mut Account, id: &str, subscription: Option<&str>) {
    let Some(tried) = account.invoices.get(id).map(|invoice| invoice.attempt_count) else { return };
    let status = subscription.and_then(|id| account.subscriptions.get(id)).map(|subscription| subscription.status);
    let (reason, is_retried) =
        account.invoices.get(id).map_or(("", false), |invoice| (invoice.reason, invoice.is_retried));
    let retried = matches!(status, Some("active" | "past_due")) && is_retried;
    if let (Some("active"), Some(subscription), UPDATE) = (status, subscription, reason) {
        set_status(account, subscription, "past_due");
    }
    let days = account.settings.retry_days.get(tried.saturating_sub(1)).copied().filter(|_| retried);
    let next = days.map(|days| account.now + days * 86_400);
    edit(account, id, |invoice| invoice.next_attempt = next);
    tell(account, id, "invoice.payment_failed");
    let (Some(subscription), true) = (subscription, retried) else { return };
    match (next, account.settings.after_retries) {
        (Some(_), _) | (None, AfterRetries::PastDue) => set_status(account, subscription, "past_due"),
        (None, AfterRetries::Unpaid) => set_status(account, subscription, "unpaid"),
        (None, AfterRetries::Cancel) => billing::end(account, subscription, "payment_failed"),
    }
}

fn set_status(account: &mut Account, subscription: &str, status: &'static str) {
    billing::change(account, subscription, |subscription| subscription.status = status);
}

/// A payment without an invoice: says the intent, and the charge if it worked.
pub fn pay_once(
    account: &mut Account,
    customer: Option<String>,
    amount: i64,
    currency: &str,
    works: bool,
) -> (String, Option<Charge>) {
    let intent = PaymentIntent::new(account, customer, amount, currency);
    let intent = intent.insert(account);
    let charge = charges::charge(account, &intent, works);
    let charge = account.charges.get(&charge).filter(|charge| charge.paid());
    (intent, charge.cloned())
}

/// What an invoice over a one-time payment looks like once it is paid: made by a checkout that was asked for one.
pub fn receipt(account: &mut Account, invoice: Invoice, intent: &str) {
    let id = invoice.id().to_owned();
    let now = account.now;
    let payment = InvoicePayment {
        id: account.rng.id("inpay"),
        created: now,
        invoice: id.clone(),
        payment_intent: intent.to_owned(),
        amount: invoice.total(),
        currency: invoice.currency.clone(),
        paid_at: Some(now),
    };
    let invoice = Invoice { payment: Some(payment.id.clone()), ..invoice };
    account.invoice_payments.insert(payment);
    account.invoices.insert(invoice);
    announce(account, &id);
    finalize(account, &id);
    paid(account, &id, None);
}
