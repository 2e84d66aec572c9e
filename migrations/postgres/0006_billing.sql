-- The owner's Stripe account, and what is kept here of it. A ticket orders what was read of it: whoever is about to ask
-- Stripe takes the site's next one, and what was read with a lower ticket never overwrites what was read with a higher.

CREATE TABLE plan (
    site            BIGINT NOT NULL REFERENCES site (id),
    id              TEXT COLLATE "C" NOT NULL,
    name            TEXT NOT NULL,
    name_key        TEXT COLLATE "C" NOT NULL, -- lower case, for search
    description     TEXT,
    amount          BIGINT NOT NULL, -- in minor units of the currency
    currency        TEXT NOT NULL, -- ISO 4217, lower case, as Stripe writes it
    every           TEXT NOT NULL, -- one_time, day, week, month, year
    every_n         BIGINT NOT NULL, -- one payment for so many of them
    trial_days      BIGINT NOT NULL,
    is_public       BOOLEAN NOT NULL,
    archived_at     BIGINT,
    product_id      TEXT COLLATE "C", -- Stripe's
    price_id        TEXT COLLATE "C", -- Stripe's; null: Stripe does not know the plan yet
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX plan_price ON plan (site, price_id) WHERE price_id IS NOT NULL;

-- What Stripe, or another seller, says of a member's subscription: facts that access is decided on.
CREATE TABLE subscription (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    member_id       TEXT COLLATE "C" NOT NULL,
    plan_id         TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL, -- Stripe's word, and paused while its collection is: active, trialing, past_due, …
    started_at      BIGINT NOT NULL,
    period_start    BIGINT,
    period_end      BIGINT, -- paid until then; null: once for all
    past_due_since  BIGINT,
    refunded_at     BIGINT, -- all that was paid for a period was given back then
    refunded_until  BIGINT, -- the end of that period; null: it has none
    cancel_at       BIGINT, -- it will end then
    canceled_at     BIGINT, -- somebody said so then
    ended_at        BIGINT,
    trial_end       BIGINT,
    resumes_at      BIGINT, -- a pause ends by itself then
    source          TEXT NOT NULL, -- stripe, or who sold it elsewhere
    reference       TEXT, -- the seller's own
    external_id     TEXT COLLATE "C", -- Stripe's id, or that of the checkout of what is paid once; null: paid elsewhere
    customer_id     TEXT COLLATE "C", -- Stripe's
    payment_intent  TEXT COLLATE "C", -- Stripe's, of what is paid once
    wanted          TEXT COLLATE "C", -- what was asked for last and Stripe is to be brought to: canceled, ending, paused, active
    wanted_at       BIGINT,
    resume_wanted   BIGINT, -- when a wanted pause is to end by itself
    ticket          BIGINT NOT NULL, -- of what it was read with
    synced_at       BIGINT, -- compared with Stripe last
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX subscription_member ON subscription (site, member_id, id);
CREATE INDEX subscription_plan ON subscription (site, plan_id, id);
CREATE INDEX subscription_status ON subscription (site, status, id);
CREATE INDEX subscription_synced ON subscription (site, synced_at, id);
CREATE UNIQUE INDEX subscription_external ON subscription (site, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX subscription_payment ON subscription (site, payment_intent) WHERE payment_intent IS NOT NULL;

CREATE TABLE stripe_connection (
    site            BIGINT NOT NULL REFERENCES site (id),
    account_id      TEXT COLLATE "C" NOT NULL, -- whose account the key opens
    acts_for        TEXT COLLATE "C", -- the connected account that a platform's key acts for: Stripe-Account
    base            TEXT, -- another address than Stripe's, for tests
    key_sealed      TEXT NOT NULL,
    key_hint        TEXT NOT NULL, -- its kind and its last letters
    live            BOOLEAN NOT NULL,
    ticket          BIGINT NOT NULL, -- the last that was taken
    sync_job        TEXT COLLATE "C", -- the job that reads what is to be read
    events_until    BIGINT, -- events were listed until then
    swept_at        BIGINT, -- every subscription was compared then
    parked_at       BIGINT, -- the key may not do what it was to do, since then: nothing is written until it is mended
    parked_why      TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (site)
);

-- Signing secrets of webhook endpoints: two while one is rolled.
CREATE TABLE stripe_secret (
    site            BIGINT NOT NULL REFERENCES site (id),
    id              TEXT COLLATE "C" NOT NULL, -- the last letters of the secret
    sealed          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- Events that have come, each once.
CREATE TABLE stripe_event (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    received_at     BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX stripe_event_received ON stripe_event (received_at);

-- What is to be read from Stripe, since something was heard of it.
CREATE TABLE stripe_dirty (
    site            BIGINT NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL, -- subscription, invoice, checkout, charge, customer
    object_id       TEXT COLLATE "C" NOT NULL,
    marks           BIGINT NOT NULL, -- the ticket that was the last when it was heard of last
    source          TEXT NOT NULL, -- who says so: webhook, events, sweep, resync, write
    event_id        TEXT COLLATE "C",
    event_type      TEXT COLLATE "C",
    since           BIGINT NOT NULL,
    not_before      BIGINT NOT NULL,
    tries           BIGINT NOT NULL,
    error           TEXT, -- why the last try failed
    PRIMARY KEY (site, kind, object_id)
);
CREATE INDEX stripe_dirty_due ON stripe_dirty (site, not_before, kind, object_id);

-- Whose Stripe's customers are. A member may have several; the newest is used.
CREATE TABLE stripe_customer (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    member_id       TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX stripe_customer_member ON stripe_customer (site, member_id, created_at);

-- Subscriptions at Stripe of which nobody knows the member.
CREATE TABLE stripe_stray (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL, -- Stripe's
    customer_id     TEXT COLLATE "C",
    status          TEXT COLLATE "C" NOT NULL,
    price_id        TEXT COLLATE "C",
    seen_at         BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- Checkouts that were made for members; the id is that of the job.
CREATE TABLE checkout (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    member_id       TEXT COLLATE "C" NOT NULL,
    plan_id         TEXT COLLATE "C" NOT NULL,
    session_id      TEXT COLLATE "C", -- Stripe's, once it is made
    status          TEXT COLLATE "C" NOT NULL, -- making, open, complete, expired, failed
    url             TEXT, -- where the member pays, while it is open
    expires_at      BIGINT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX checkout_member ON checkout (site, member_id, id);
CREATE UNIQUE INDEX checkout_session ON checkout (site, session_id) WHERE session_id IS NOT NULL;

-- Invoices stay when their member is deleted, without name and address: so the member is no foreign key, and the
-- addresses of its pages are taken out.
CREATE TABLE invoice (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL, -- made at the time of Stripe's, so newest first by id
    external_id     TEXT COLLATE "C" NOT NULL, -- Stripe's
    member_id       TEXT COLLATE "C",
    customer_id     TEXT COLLATE "C",
    subscription_id TEXT COLLATE "C", -- ours
    number          TEXT COLLATE "C",
    status          TEXT COLLATE "C" NOT NULL, -- draft, open, paid, uncollectible, void
    currency        TEXT NOT NULL,
    subtotal        BIGINT NOT NULL,
    tax             BIGINT NOT NULL,
    total           BIGINT NOT NULL,
    amount_due      BIGINT NOT NULL,
    amount_paid     BIGINT NOT NULL,
    amount_refunded BIGINT NOT NULL,
    lines           TEXT NOT NULL, -- JSON
    hosted_url      TEXT,
    pdf_url         TEXT,
    period_start    BIGINT, -- what it pays for, by its lines
    period_end      BIGINT,
    paid_at         BIGINT,
    created_at      BIGINT NOT NULL, -- Stripe's
    ticket          BIGINT NOT NULL,
    synced_at       BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX invoice_external ON invoice (site, external_id);
CREATE INDEX invoice_member ON invoice (site, member_id, id);
CREATE INDEX invoice_subscription ON invoice (site, subscription_id, id);
CREATE INDEX invoice_status ON invoice (site, status, id);
