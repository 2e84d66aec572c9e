"""Drives the Stripe fake with Stripe's own Python library:

    target/tools/venv/bin/python tests/stripe/check.py target/debug/stripe-fake

Starts the program on a free port, does with it what a back office does with Stripe, and ends with the number of checks
that held; the first that does not hold ends it with exit code 1.
"""

import http.server
import json
import sys
import threading
import time

import harness
import stripe
from harness import Fake, Hook, refused, same, true

DAY = 86_400


def catalog(fake, client):
    product = client.v1.products.create({"id": "gold", "name": "Gold", "metadata": {"plan": "gold"}})
    same("a product has its own id", product.id, "gold")
    refused("the same product", stripe.InvalidRequestError, lambda: client.v1.products.create({"id": "gold", "name": "Gold"}), code="resource_already_exists", http_status=400)
    same("updated", client.v1.products.update("gold", {"description": "All of it"}).description, "All of it")
    same("an empty text clears", client.v1.products.update("gold", {"description": ""}).description, None)
    recurring = {"interval": "month", "interval_count": 1}
    price = client.v1.prices.create({"product": "gold", "currency": "USD", "unit_amount": 900, "recurring": recurring, "lookup_key": "gold_monthly"})
    same("a price", (price.type, price.currency, price.unit_amount, price.recurring.interval), ("recurring", "usd", 900, "month"))
    refused("a lookup key that is taken", stripe.InvalidRequestError, lambda: client.v1.prices.create({"product": "gold", "currency": "usd", "unit_amount": 1, "lookup_key": "gold_monthly"}), param="lookup_key")
    once = client.v1.prices.create({"product": "gold", "currency": "jpy", "unit_amount": 5000})
    same("a one-time price without decimals", (once.type, once.currency, once.unit_amount, once.recurring), ("one_time", "jpy", 5000, None))
    found = client.v1.prices.list({"lookup_keys": ["gold_monthly"], "active": True, "expand": ["data.product"]})
    same("by lookup key, expanded", [(one.id, one.product.name) for one in found], [(price.id, "Gold")])
    same("by product", {one.id for one in client.v1.prices.list({"product": "gold"})}, {price.id, once.id})
    old = client.v1.prices.create({"product": "gold", "currency": "eur", "unit_amount": 1, "recurring": {"interval": "year"}})
    same("archived", client.v1.prices.update(old.id, {"active": False}).active, False)
    same("only archived", [one.id for one in client.v1.prices.list({"active": False})], [old.id])
    refused("an unknown parameter", stripe.InvalidRequestError, lambda: client.v1.products.create({"name": "x", "colour": "red"}), code="parameter_unknown", param="colour", http_status=400)
    refused("a missing parameter", stripe.InvalidRequestError, lambda: client.v1.products.create({}), code="parameter_missing", param="name")
    refused("no such price", stripe.InvalidRequestError, lambda: client.v1.prices.retrieve("price_x"), code="resource_missing", http_status=404)
    return price, once


def people(fake, client):
    made = [client.v1.customers.create({"email": f"p{n}@example.com", "metadata": {"n": str(n)}}) for n in range(25)]
    paged = [one.id for one in client.v1.customers.list({"limit": 10}).auto_paging_iter()]
    same("all pages, newest first", paged, [one.id for one in reversed(made)])
    page = client.v1.customers.list({"limit": 3, "ending_before": made[4].id})
    same("the page before", ([one.id for one in page], page.has_more), ([made[7].id, made[6].id, made[5].id], True))
    backwards = [one.id for one in client.v1.customers.list({"limit": 7, "ending_before": made[0].id}).auto_paging_iter()]
    same("all pages backwards", backwards, [one.id for one in made[1:]])
    same("by address", [one.id for one in client.v1.customers.list({"email": "p3@example.com"})], [made[3].id])
    same("metadata are merged", client.v1.customers.update(made[0].id, {"metadata": {"m": "1", "n": ""}}).metadata.to_dict(), {"m": "1"})
    true("deleted", client.v1.customers.delete(made[1].id).deleted)
    true("still there as deleted", client.v1.customers.retrieve(made[1].id).deleted)
    refused("a deleted customer", stripe.InvalidRequestError, lambda: client.v1.customers.update(made[1].id, {"name": "x"}), http_status=404)
    same("not in lists", len(list(client.v1.customers.list({"limit": 100}))), 24)


def checkout(fake, client, price, once):
    customer = client.v1.customers.create({"email": "buyer@example.com"})
    urls = {"success_url": "https://example.com/ok", "cancel_url": "https://example.com/no"}
    wanted = {
        "mode": "subscription",
        "line_items": [{"price": price.id, "quantity": 1}],
        "customer": customer.id,
        "client_reference_id": "member-1",
        "metadata": {"op": "1"},
        "subscription_data": {"metadata": {"member": "1", "op": "op:1"}},
        **urls,
    }
    session = client.v1.checkout.sessions.create(wanted)
    same("open", (session.status, session.payment_status, session.amount_total), ("open", "unpaid", 900))
    true("it has a page", session.url.startswith("https://checkout.stripe.com/"))
    same("a day", session.expires_at - session.created, DAY)
    declined = fake(f"checkout/{session.id}/complete", {"card_fails": True})
    same("declined", declined["error"]["code"], "card_declined")
    same("still open", client.v1.checkout.sessions.retrieve(session.id).status, "open")
    fake(f"checkout/{session.id}/complete")
    session = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items", "invoice.payments"]})
    same("complete", (session.status, session.payment_status, session.url), ("complete", "paid", None))
    subscription, invoice = session.subscription, session.invoice
    same("its subscription", (subscription.status, subscription.metadata.to_dict()), ("active", {"member": "1", "op": "op:1"}))
    same("its line", session.line_items.data[0].price.id, price.id)
    same("its invoice", (invoice.status, invoice.amount_paid, invoice.billing_reason), ("paid", 900, "subscription_create"))
    same("links up", invoice.parent.subscription_details.subscription, subscription.id)
    true("pages", invoice.hosted_invoice_url and invoice.invoice_pdf and invoice.number)
    same("no charge on invoices any more", "charge" in invoice.to_dict(), False)
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id})
    same("paid by", (payment.status, payment.payment.type), ("paid", "payment_intent"))
    intent = client.v1.payment_intents.retrieve(payment.payment.payment_intent, {"expand": ["latest_charge"]})
    same("the charge", (intent.status, intent.latest_charge.paid, intent.latest_charge.amount), ("succeeded", True, 900))
    same("of the customer", [one.id for one in client.v1.checkout.sessions.list({"customer": customer.id, "status": "complete"})], [session.id])
    same("of the subscription", [one.id for one in client.v1.checkout.sessions.list({"subscription": subscription.id})], [session.id])

    other = client.v1.checkout.sessions.create(wanted)
    same("expired", client.v1.checkout.sessions.expire(other.id).status, "expired")
    refused("expired twice", stripe.InvalidRequestError, lambda: client.v1.checkout.sessions.expire(other.id), http_status=400)
    trial = client.v1.checkout.sessions.create({**wanted, "subscription_data": {"trial_period_days": 7}})
    fake(f"checkout/{trial.id}/complete")
    trial = client.v1.checkout.sessions.retrieve(trial.id, {"expand": ["subscription"]})
    same("a trial", (trial.payment_status, trial.subscription.status), ("no_payment_required", "trialing"))
    client.v1.subscriptions.cancel(trial.subscription.id)
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    cheap = client.v1.checkout.sessions.create({**wanted, "discounts": [{"coupon": coupon.id}]})
    same("half of it", (cheap.amount_subtotal, cheap.amount_total), (900, 450))
    client.v1.checkout.sessions.expire(cheap.id)
    gift = client.v1.checkout.sessions.create({"mode": "payment", "line_items": [{"price": once.id}], "customer_creation": "always", "invoice_creation": {"enabled": True}, **urls})
    fake(f"checkout/{gift.id}/complete", {"email": "new@example.com", "name": "New"})
    gift = client.v1.checkout.sessions.retrieve(gift.id, {"expand": ["payment_intent", "customer", "invoice"]})
    same("a payment", (gift.payment_status, gift.payment_intent.amount, gift.customer.email, gift.invoice.total), ("paid", 5000, "new@example.com", 5000))
    refused("a recurring price in payment mode", stripe.InvalidRequestError, lambda: client.v1.checkout.sessions.create({"mode": "payment", "line_items": [{"price": price.id}], **urls}), http_status=400)
    return customer, client.v1.subscriptions.retrieve(subscription.id), intent.latest_charge


def subscriptions(fake, client, customer, subscription, price):
    get = lambda: client.v1.subscriptions.retrieve(subscription.id)
    item = subscription["items"].data[0]
    true("a month", 28 * DAY <= item.current_period_end - item.current_period_start <= 31 * DAY)
    later = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    same("will end", (later.cancel_at_period_end, later.cancel_at, later.status), (True, item.current_period_end, "active"))
    same("goes on", client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False}).cancel_at, None)
    paused = client.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void", "resumes_at": subscription.created + 5 * DAY}})
    same("collection paused", (paused.status, paused.pause_collection.behavior), ("active", "void"))
    same("and not any more", client.v1.subscriptions.update(subscription.id, {"pause_collection": ""}).pause_collection, None)
    stopped = client.v1.subscriptions.pause(subscription.id)
    same("paused", (stopped.status, stopped.status_details.paused.subscription.type), ("paused", "pause_requested"))
    same("resumed", client.v1.subscriptions.resume(subscription.id).status, "active")
    same("its metadata", client.v1.subscriptions.update(subscription.id, {"metadata": {"op": "op:2"}}).metadata.to_dict(), {"member": "1", "op": "op:2"})
    same("by customer and status", [one.id for one in client.v1.subscriptions.list({"customer": customer.id, "status": "active"})], [subscription.id])
    same("all of a price", len(list(client.v1.subscriptions.list({"price": price.id, "status": "all"}).auto_paging_iter())), 2)
    bare = client.v1.customers.create({})
    refused("nothing to pay with", stripe.InvalidRequestError, lambda: client.v1.subscriptions.create({"customer": bare.id, "items": [{"price": price.id}]}), code="resource_missing")
    failing = client.v1.customers.create({"payment_method": "pm_card_chargeCustomerFail"})
    incomplete = client.v1.subscriptions.create({"customer": failing.id, "items": [{"price": price.id}], "expand": ["latest_invoice"]})
    same("incomplete", (incomplete.status, incomplete.latest_invoice.status), ("incomplete", "open"))
    refused("or an error", stripe.CardError, lambda: client.v1.subscriptions.create({"customer": failing.id, "items": [{"price": price.id}], "payment_behavior": "error_if_incomplete"}), code="card_declined", http_status=402)
    paying = client.v1.customers.create({"payment_method": "pm_card_visa"})
    classic = client.v1.subscriptions.create({"customer": paying.id, "items": [{"price": price.id}], "billing_mode": {"type": "classic"}})
    refused("pause in the classic mode", stripe.InvalidRequestError, lambda: client.v1.subscriptions.pause(classic.id), http_status=400)
    same("flexible now", client.v1.subscriptions.migrate(classic.id, {"billing_mode": {"type": "flexible"}}).billing_mode.type, "flexible")
    same("and paused", client.v1.subscriptions.pause(classic.id).status, "paused")
    same("canceled", client.v1.subscriptions.cancel(subscription.id).status, "canceled")
    refused("canceled twice", stripe.InvalidRequestError, lambda: client.v1.subscriptions.cancel(subscription.id), code="resource_missing", http_status=404)
    refused("changed after that", stripe.InvalidRequestError, lambda: client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}), http_status=400)
    same("is still there", get().status, "canceled")
    same("not in a plain list", [one.id for one in client.v1.subscriptions.list({"customer": customer.id})], [])


def invoices(fake, client, customer, subscription, charge):
    all_of = client.v1.invoices.list({"subscription": subscription.id, "status": "paid"})
    true("several", len(all_of.data) == 2 and all(one.customer == customer.id for one in all_of))
    lines = client.v1.invoices.line_items.list(all_of.data[-1].id)
    same("a line", (lines.data[0].amount, lines.data[0].pricing.price_details.product), (900, "gold"))
    part = client.v1.refunds.create({"charge": charge.id, "amount": 300, "metadata": {"why": "late"}})
    same("a part", (part.status, part.amount), ("succeeded", 300))
    charge = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    same("of the charge", (charge.refunded, charge.amount_refunded, len(charge.refunds.data)), (False, 300, 1))
    refused("too much", stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": charge.id, "amount": 601}), param="amount")
    client.v1.refunds.create({"payment_intent": charge.payment_intent})
    charge = client.v1.charges.retrieve(charge.id)
    same("all of it", (charge.refunded, charge.amount_refunded), (True, 900))
    refused("again", stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": charge.id}), code="charge_already_refunded")
    same("both", len(client.v1.refunds.list({"charge": charge.id}).data), 2)
    true("charges of the customer", charge.id in [one.id for one in client.v1.charges.list({"customer": customer.id})])


def disputes(fake, client, price):
    people = client.v1.customers.create({"email": "dispute@example.com", "payment_method": "pm_card_visa"})
    client.v1.subscriptions.create({"customer": people.id, "items": [{"price": price.id}]})
    [charge] = client.v1.charges.list({"customer": people.id})
    opened = fake(f"charges/{charge.id}/dispute", {"amount": 400})
    [dispute] = client.v1.disputes.list({"charge": charge.id})
    same("a dispute", (dispute.id, dispute.status, dispute.amount, dispute.charge, dispute.payment_intent), (opened["id"], "needs_response", 400, charge.id, charge.payment_intent))
    same("what the bank took", [one.amount for one in dispute.balance_transactions], [-400])
    true("until when", dispute.evidence_details.due_by > dispute.created and dispute.evidence.product_description is None)
    true("its charge says so", client.v1.charges.retrieve(charge.id).disputed)
    refused("no refund of it", stripe.InvalidRequestError, lambda: client.v1.refunds.create({"charge": charge.id}), code="charge_disputed")
    same("answered", client.v1.disputes.update(dispute.id, {"metadata": {"why": "here"}}).status, "under_review")
    same("won", fake(f"disputes/{dispute.id}/decide", {"won": True})["status"], "won")
    event = client.v1.events.list({"type": "charge.dispute.closed", "limit": 1}).data[0]
    same("and said so", (event.data.object.id, event.data.object.status, event.data.object.charge), (dispute.id, "won", charge.id))
    refused("closed", stripe.InvalidRequestError, lambda: client.v1.disputes.close(dispute.id))


def items(fake, client):
    people = client.v1.customers.create({"email": "items@example.com", "payment_method": "pm_card_visa"})
    make = lambda amount: client.v1.prices.create({"currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}, "product": client.v1.products.create({"name": str(amount)}).id})
    base, extra, better = make(1000), make(250), make(3000)
    subscription = client.v1.subscriptions.create({"customer": people.id, "items": [{"price": base.id}, {"price": extra.id, "quantity": 3}], "expand": ["latest_invoice"]})
    same("all are billed", (subscription.latest_invoice.amount_paid, len(subscription.latest_invoice.lines.data)), (1750, 2))
    first, second = subscription["items"].data
    fake("clock/advance", {"days": 10})
    fake(f"customers/{people.id}/card", {"fails": True})
    unpaid = client.v1.subscriptions.update(subscription.id, {"items": [{"id": first.id, "price": better.id}], "payment_behavior": "allow_incomplete", "proration_behavior": "always_invoice", "expand": ["latest_invoice"]})
    invoice = unpaid.latest_invoice
    same("an upgrade that is not paid", (unpaid.status, invoice.status, invoice.billing_reason), ("past_due", "open", "subscription_update"))
    details = [line.parent.subscription_item_details for line in invoice.lines.data]
    same("its lines", [(one.proration, one.subscription_item) for one in details], [(True, first.id)] * 2)
    same("it has the price already", [one.price.id for one in unpaid["items"].data], [better.id, extra.id])
    true("it will be tried again", invoice.next_payment_attempt)
    fake(f"customers/{people.id}/card", {"fails": False})
    same("paid", client.v1.invoices.pay(invoice.id).status, "paid")
    same("active", client.v1.subscriptions.retrieve(subscription.id).status, "active")
    cheaper = client.v1.subscriptions.update(subscription.id, {"items": [{"id": first.id, "price": base.id}], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]})
    same("more is credited than charged", (cheaper.latest_invoice.total < 0, cheaper.latest_invoice.amount_due, cheaper.latest_invoice.status), (True, 0, "paid"))
    same("that is kept", client.v1.customers.retrieve(people.id).balance, cheaper.latest_invoice.total)
    client.v1.subscriptions.update(subscription.id, {"items": [{"id": second.id, "deleted": True}, {"price": better.id}], "proration_behavior": "none"})
    same("others", [one.price.id for one in client.v1.subscriptions.retrieve(subscription.id)["items"].data], [base.id, better.id])
    refused("twice the same", stripe.InvalidRequestError, lambda: client.v1.subscriptions.update(subscription.id, {"items": [{"price": base.id}]}))
    client.v1.subscriptions.cancel(subscription.id)


def plan_changes(fake, client):
    people = client.v1.customers.create({"email": "change@example.com", "payment_method": "pm_card_visa"})
    make = lambda name, amount, interval: client.v1.prices.create({"currency": "eur", "unit_amount": amount, "recurring": {"interval": interval}, "product": client.v1.products.create({"name": name}).id})
    basic, gold = make("Basic", 1000, "month"), make("Better", 3000, "month")
    subscription = client.v1.subscriptions.create({"customer": people.id, "items": [{"price": basic.id}]})
    item = subscription["items"].data[0].id
    fake("clock/advance", {"days": 10})
    now = fake.get("state")["now"]
    details = {"items": [{"id": item, "price": gold.id}], "proration_behavior": "always_invoice", "proration_date": now}
    preview = client.v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": details})
    true("a preview", 0 < preview.amount_due < 2000 and len(preview.lines.data) == 2)
    changed = client.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "price": gold.id}], "proration_behavior": "always_invoice", "proration_date": now})
    same("the new price", changed["items"].data[0].price.id, gold.id)
    same("what was previewed", client.v1.invoices.retrieve(changed.latest_invoice).amount_paid, preview.amount_due)
    schedule = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    same("one phase", (schedule.status, len(schedule.phases), client.v1.subscriptions.retrieve(subscription.id).schedule), ("active", 1, schedule.id))
    first = schedule.phases[0]
    phases = [
        {"start_date": first.start_date, "end_date": first.end_date, "items": [{"price": gold.id, "quantity": 1}]},
        {"items": [{"price": basic.id, "quantity": 1}], "duration": {"interval": "month", "interval_count": 1}, "proration_behavior": "none"},
    ]
    schedule = client.v1.subscription_schedules.update(schedule.id, {"phases": phases, "end_behavior": "release", "metadata": {"why": "cheaper"}})
    same("two phases", [phase["items"][0].price for phase in schedule.phases], [gold.id, basic.id])
    refused("it is managed", stripe.InvalidRequestError, lambda: client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}))
    fake("clock/advance", {"days": 31})
    same("then the other price", client.v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.id, basic.id)
    released = client.v1.subscription_schedules.release(schedule.id)
    same("released", (released.status, client.v1.subscriptions.retrieve(subscription.id).schedule), ("released", None))
    refused("once", stripe.InvalidRequestError, lambda: client.v1.subscription_schedules.release(schedule.id))
    client.v1.subscriptions.cancel(subscription.id)


def portal(fake, client, customer):
    page = client.v1.billing_portal.sessions.create({"customer": customer.id, "return_url": "https://example.com/account"})
    same("whose portal", (page.object, page.customer, page.return_url), ("billing_portal.session", customer.id, "https://example.com/account"))
    true("where it is", page.url.startswith("https://billing.stripe.com/"))
    refused("nobody's portal", stripe.InvalidRequestError, lambda: client.v1.billing_portal.sessions.create({"customer": "cus_none"}), code="resource_missing")


def keys(fake, client):
    refused("no such key", stripe.AuthenticationError, fake.client("sk_test_wrong").v1.accounts.retrieve_current, http_status=401)
    fake("keys", {"key": "rk_test_reader", "account": "acct_fake", "permissions": ["rak_customer_read"]})
    reader = fake.client("rk_test_reader")
    reader.v1.customers.list()
    error = refused("may only read", stripe.PermissionError, lambda: reader.v1.customers.create({}), http_status=403)
    true("and says what is missing", "'rak_customer_write'" in str(error))
    same("whose key", client.v1.accounts.retrieve_current().id, "acct_fake")
    fake("accounts", {"id": "acct_site", "connected_to": "acct_fake"})
    site = {"stripe_account": "acct_site"}
    made = client.v1.customers.create({"email": "there@example.com"}, site)
    refused("another account's", stripe.InvalidRequestError, lambda: client.v1.customers.retrieve(made.id), http_status=404)
    same("there it is", client.v1.customers.retrieve(made.id, None, site).email, "there@example.com")
    refused("no such account", stripe.PermissionError, lambda: client.v1.customers.list({}, {"stripe_account": "acct_none"}), http_status=403, code="account_invalid")


def idempotency(fake, client):
    once = {"idempotency_key": "op:7:g0"}
    first = client.v1.customers.create({"email": "once@example.com"}, once)
    again = client.v1.customers.create({"email": "once@example.com"}, once)
    same("the same answer", again.id, first.id)
    same("and says so", again.last_response.headers["Idempotent-Replayed"], "true")
    true("each has its id", again.last_response.request_id != first.last_response.request_id)
    refused("other parameters", stripe.IdempotencyError, lambda: client.v1.customers.create({"email": "other@example.com"}, once), http_status=400)
    bad = {"idempotency_key": "op:8:g0"}
    refused("a mistake", stripe.InvalidRequestError, lambda: client.v1.customers.create({"colour": "red"}, bad), code="parameter_unknown")
    client.v1.customers.create({"name": "mended"}, bad)
    fake("faults", {"method": "POST", "path": "/v1/customers", "next": ["server_error_after"]})
    lost = {"idempotency_key": "op:9:g0"}
    make = lambda: client.v1.customers.create({"email": "lost@example.com"}, lost)
    refused("500", stripe.APIError, make, http_status=500)
    refused("500 again, kept", stripe.APIError, make, http_status=500)
    same("though it happened", len(client.v1.customers.list({"email": "lost@example.com"}).data), 1)
    fake("clock/advance", {"seconds": DAY})
    true("a day later it runs anew", client.v1.customers.create({"email": "once@example.com"}, once).id != first.id)


def faults(fake, client):
    def fails(*next):
        fake("faults", {"path": "/v1/customers", "next": next})

    create = lambda: client.v1.customers.create({"email": "fault@example.com"})
    count = lambda: len(client.v1.customers.list({"email": "fault@example.com", "limit": 100}).data)
    fails("rate_limited", "rate_limited_retry_after")
    refused("429", stripe.RateLimitError, create, http_status=429, code="rate_limit")
    error = refused("429", stripe.RateLimitError, create, http_status=429)
    same("wait", error.headers["Retry-After"], "2")
    fails("bad_gateway")
    refused("502", stripe.APIError, create, http_status=502)
    fails("reset_before")
    refused("reset", stripe.APIConnectionError, create)
    same("none of them happened", count(), 0)
    fails("truncated")
    refused("half an answer", stripe.APIConnectionError, create)
    fails("reset_after")
    refused("reset", stripe.APIConnectionError, create)
    same("both happened", count(), 2)
    fake("faults", method="DELETE")
    retrying = stripe.StripeClient("sk_test_fake", base_addresses={"api": fake.url}, max_network_retries=2)
    fails("none", "reset_after", "conflict")
    same("nothing wrong", count(), 2)
    retrying.v1.customers.create({"email": "fault@example.com"})
    same("the library tries again under its key", count(), 3)
    fake("rate", {"limit": {"per_second": 3, "clock": "virtual"}})
    fake("clock/advance", {"seconds": 1})
    for _ in range(3):
        client.v1.customers.list()
    refused("the fourth in a second", stripe.RateLimitError, client.v1.customers.list, http_status=429)
    fake("rate", {"limit": None})
    log = fake.get("log")
    same("and is in the log", [entry["status"] for entry in log[-4:]], [200, 200, 200, 429])


def webhooks(fake, client, price):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    own = client.v1.webhook_endpoints.create({"url": f"{url}/own", "enabled_events": ["customer.*", "checkout.session.completed"]})
    connect = client.v1.webhook_endpoints.create({"url": f"{url}/connect", "enabled_events": ["*"], "connect": True})
    same("no secret later", "secret" in client.v1.webhook_endpoints.retrieve(own.id).to_dict(), False)
    same("two", len(client.v1.webhook_endpoints.list().data), 2)

    client.v1.customers.create({"email": "hook@example.com"})
    client.v1.customers.create({"email": "hook@example.com"}, {"stripe_account": "acct_site"})
    fake("webhooks/settle")
    same("each to its own", [path for path, _, _ in Hook.taken], ["/own", "/connect"])
    (_, header, body), (_, header2, body2) = Hook.taken
    # The program's clock stands where it began, some seconds ago.
    event = stripe.Webhook.construct_event(body, header, own.secret)
    same("an event", (event.type, event.data.object.email), ("customer.created", "hook@example.com"))
    same("of the connected account", stripe.Webhook.construct_event(body2, header2, connect.secret).account, "acct_site")
    for what, args in {"another secret": (body, header, connect.secret), "another body": (body.replace(b"hook@", b"hoax@"), header, own.secret)}.items():
        refused(what, stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(*args))
    age = int(fake.get("state")["now"] - time.time()) + 302
    [old] = fake(f"events/{event.id}/signed", {"age_seconds": age})
    refused("too old", stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(old["body"], dict(old["headers"])["stripe-signature"], own.secret))

    Hook.taken.clear()
    fake("webhooks/plan", {"held": True, "copies": 2, "shuffled": 5})
    session = client.v1.checkout.sessions.create({"mode": "subscription", "line_items": [{"price": price.id}], "success_url": "https://example.com"})
    fake(f"checkout/{session.id}/complete", {"email": "shuffled@example.com"})
    pending = fake.get("webhooks/pending")
    same("held", (len(Hook.taken), len(pending) >= 8), (0, True))
    Hook.status = 500
    same("refused", fake("webhooks/flush"), {"delivered": 0, "failed": len(pending)})
    missed = client.v1.events.list({"delivery_success": False, "types": ["checkout.session.completed"]})
    same("missed", [one.data.object.id for one in missed], [session.id])
    Hook.status = 200
    Hook.taken.clear()
    same("tried again", fake("webhooks/flush"), {"delivered": len(pending), "failed": 0})
    ids = [stripe.Webhook.construct_event(body, header, own.secret).id for _, header, body in Hook.taken]
    same("twice each", sorted(ids), sorted([one["event"] for one in pending]))
    true("in another order", ids != [one["event"] for one in pending])
    same("none left", fake.get("webhooks/pending"), [])
    same("nor missed", list(client.v1.events.list({"delivery_success": False, "types": ["checkout.session.completed"]})), [])
    fake("webhooks/plan", {})
    updated = client.v1.customers.list({"email": "hook@example.com"}).data[0]
    client.v1.customers.update(updated.id, {"name": "Hook"})
    newest = client.v1.events.list({"type": "customer.updated", "limit": 1}).data[0]
    same("what was before", newest.data.previous_attributes.to_dict(), {"name": None})
    same("by id", client.v1.events.retrieve(newest.id).id, newest.id)
    since = [one.type for one in client.v1.events.list({"created": {"gte": newest.created}, "limit": 100}).auto_paging_iter()]
    true("since then", "customer.updated" in since)
    completed = client.v1.events.list({"type": "customer.subscription.created", "limit": 1}).data[0]
    Hook.taken.clear()
    same("an old version", fake(f"events/{completed.id}/deliver", {"shape": "2020-08-27", "unknown_fields": True}), [200])
    old = json.loads(Hook.taken[0][2])
    true("has its own fields", old["data"]["object"]["current_period_end"] and "field_of_a_later_version" in old)
    server.shutdown()


def time_passes(fake, client, price):
    customer = client.v1.customers.create({"email": "time@example.com", "payment_method": "pm_card_visa"})
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    paid = lambda: [one.status for one in client.v1.invoices.list({"subscription": subscription.id})]
    status = lambda: client.v1.subscriptions.retrieve(subscription.id).status
    fake("clock/advance", {"days": 63})
    same("three invoices", paid(), ["paid"] * 3)
    fake(f"customers/{customer.id}/card", {"fails": True})
    fake("clock/advance", {"days": 30})
    same("not paid", (status(), paid()[0]), ("past_due", "open"))
    fake(f"customers/{customer.id}/card", {"fails": False})
    fake("clock/advance", {"days": 7})
    same("paid at last", (status(), paid()[0]), ("active", "paid"))
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    fake("clock/advance", {"days": 31})
    same("ended", status(), "canceled")
    [last] = client.v1.events.list({"type": "customer.subscription.deleted", "limit": 1})
    same("and said so", last.data.object.id, subscription.id)


def many(fake, client):
    fake("accounts", {"id": "acct_big", "connected_to": "acct_fake"})
    began = time.monotonic()
    made = fake("seed", {"account": "acct_big", "subscriptions": 5000, "metadata": {"member": "m{n}"}})
    pages = client.v1.subscriptions.list({"limit": 100, "status": "all"}, {"stripe_account": "acct_big"})
    found = [one.id for one in pages.auto_paging_iter()]
    same("all", found, [subscription for _, subscription in reversed(made["made"])])
    true("fast", time.monotonic() - began < 60)


def main():
    [program] = sys.argv[1:]
    fake = Fake(program)
    try:
        client = fake.client()
        price, once = catalog(fake, client)
        people(fake, client)
        customer, subscription, charge = checkout(fake, client, price, once)
        subscriptions(fake, client, customer, subscription, price)
        invoices(fake, client, customer, subscription, charge)
        portal(fake, client, customer)
        disputes(fake, client, price)
        items(fake, client)
        plan_changes(fake, client)
        keys(fake, client)
        webhooks(fake, client, price)
        idempotency(fake, client)
        faults(fake, client)
        time_passes(fake, client, price)
        many(fake, client)
    finally:
        fake.process.terminate()
        fake.process.wait()
    print(f"stripe-fake, driven with stripe {stripe.VERSION}: {harness.held} checks held")


if __name__ == "__main__":
    main()
