-- What a plan opens, said by the owner; what comes from Stripe unasked opens nothing until then. Nobody is locked out by
-- this: plans that were made here, or that somebody pays for, open what they opened before.
ALTER TABLE plan ADD COLUMN opens TEXT NOT NULL DEFAULT 'nothing' CHECK (opens IN ('all', 'listed', 'nothing'));
ALTER TABLE plan ADD COLUMN needs_review INTEGER NOT NULL DEFAULT 0; -- nobody has said yet what it opens
ALTER TABLE plan ADD COLUMN pricing TEXT CHECK (pricing IN ('tiered', 'metered')); -- null: one amount
UPDATE plan SET opens = 'all' WHERE product_id IS NULL OR product_id = id;
UPDATE plan SET needs_review = 1 WHERE opens = 'nothing';
UPDATE plan SET opens = 'all' WHERE opens = 'nothing' AND EXISTS (
    SELECT 1 FROM subscription s WHERE s.site = plan.site AND s.plan_id = plan.id
       AND (s.status IN ('active', 'trialing', 'past_due', 'unpaid', 'paused') OR s.period_end > unixepoch() * 1000000));

-- What a subscription is for, item by item, in Stripe's order; the first is the subscription's plan_id too.
CREATE TABLE subscription_item (
    site            INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    position        INTEGER NOT NULL, -- from 0
    external_id     TEXT, -- Stripe's (si_…); null: paid elsewhere, or once, or not read since this table came
    plan_id         TEXT NOT NULL,
    quantity        INTEGER NOT NULL,
    PRIMARY KEY (site, subscription_id, position),
    FOREIGN KEY (site, subscription_id) REFERENCES subscription (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_item_plan ON subscription_item (site, plan_id, subscription_id);
INSERT INTO subscription_item (site, subscription_id, position, plan_id, quantity)
    SELECT site, id, 0, plan_id, 1 FROM subscription;

-- Stripe has paused it, as its trial ended without a card.
ALTER TABLE subscription ADD COLUMN needs_card INTEGER NOT NULL DEFAULT 0;

-- What was paid for a subscription at Stripe and for which time, by lines of its paid invoices, the newest first. Made anew
-- whenever the subscription is read.
CREATE TABLE paid_span (
    site            INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    position        INTEGER NOT NULL, -- from 0
    plan_id         TEXT, -- null: of a price that no plan here has
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    invoice         TEXT NOT NULL, -- Stripe's id (in_…)
    paid            INTEGER NOT NULL, -- with the whole invoice, in minor units of its currency
    refunded        INTEGER NOT NULL, -- of that
    PRIMARY KEY (site, subscription_id, position),
    FOREIGN KEY (site, subscription_id) REFERENCES subscription (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Whose something at Stripe is that names nobody itself: said by the checkout that it came from, or by subscriptions.link.
CREATE TABLE stripe_claim (
    site            INTEGER NOT NULL,
    external_id     TEXT NOT NULL, -- Stripe's id of a subscription, or of the checkout of what is paid once
    member_id       TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (site, external_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_claim_member ON stripe_claim (site, member_id);

-- What customers had their banks take back. What it was paid for is named by Stripe's ids, so that it stays without the member.
CREATE TABLE stripe_dispute (
    site            INTEGER NOT NULL,
    id              TEXT NOT NULL, -- Stripe's
    status          TEXT NOT NULL, -- needs_response, under_review, won, lost, …
    amount          INTEGER NOT NULL, -- in minor units of its currency
    currency        TEXT NOT NULL,
    reason          TEXT,
    invoice         TEXT, -- Stripe's id of the invoice that was paid; null: something paid once
    paid_for        TEXT, -- Stripe's id of the subscription, or of the checkout of what was paid once
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_dispute_invoice ON stripe_dispute (site, invoice) WHERE invoice IS NOT NULL;

-- While is_paid: the moment at which that ends by itself; null: no end is known.
ALTER TABLE member ADD COLUMN paid_until INTEGER;
CREATE INDEX member_paid_until ON member (paid_until) WHERE paid_until IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('subscription_item', 'subscription_item', '1000000 100000 1 1'),
    ('subscription_item', 'subscription_item_plan', '1000000 100000 5000 1 1'),
    ('paid_span', 'paid_span', '1000000 100000 12 1'),
    ('stripe_claim', 'stripe_claim', '10000 1000 1'),
    ('stripe_claim', 'stripe_claim_member', '10000 1000 1 1'),
    ('stripe_dispute', 'stripe_dispute', '10000 1000 1'),
    ('stripe_dispute', 'stripe_dispute_invoice', '10000 1000 1 1'),
    ('member', 'member_paid_until', '1000 2');
ANALYZE sqlite_schema;
