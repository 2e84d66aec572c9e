-- The owner's Stripe account, and what is kept here of it. A ticket orders what was read of it: whoever is about to ask
-- Stripe takes the site's next one, and what was read with a lower ticket never overwrites what was read with a higher.

CREATE TABLE plan (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL, -- lower case, for search
    description   TEXT,
    amount        INTEGER NOT NULL, -- in minor units of the currency
    currency      TEXT NOT NULL, -- ISO 4217, lower case, as Stripe writes it
    every         TEXT NOT NULL, -- one_time, day, week, month, year
    every_n       INTEGER NOT NULL, -- one payment for so many of them
    trial_days    INTEGER NOT NULL,
    is_public     INTEGER NOT NULL,
    archived_at   INTEGER,
    product_id    TEXT, -- Stripe's
    price_id      TEXT, -- Stripe's; null: Stripe does not know the plan yet
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX plan_price ON plan (site, price_id) WHERE price_id IS NOT NULL;

-- What Stripe, or another seller, says of a member's subscription: facts that access is decided on.
CREATE TABLE subscription (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    plan_id       TEXT NOT NULL,
    status        TEXT NOT NULL, -- Stripe's word, and paused while its collection is: active, trialing, past_due, …
    started_at    INTEGER NOT NULL,
    period_start  INTEGER,
    period_end    INTEGER, -- paid until then; null: once for all
    past_due_since INTEGER,
    refunded_at   INTEGER, -- all that was paid for a period was given back then
    refunded_until INTEGER, -- the end of that period; null: it has none
    cancel_at     INTEGER, -- it will end then
    canceled_at   INTEGER, -- somebody said so then
    ended_at      INTEGER,
    trial_end     INTEGER,
    resumes_at    INTEGER, -- a pause ends by itself then
    source        TEXT NOT NULL, -- stripe, or who sold it elsewhere
    reference     TEXT, -- the seller's own
    external_id   TEXT, -- Stripe's id, or that of the checkout of what is paid once; null: paid elsewhere
    customer_id   TEXT, -- Stripe's
    payment_intent TEXT, -- Stripe's, of what is paid once
    wanted        TEXT, -- what was asked for last and Stripe is to be brought to: canceled, ending, paused, active
    wanted_at     INTEGER,
    resume_wanted INTEGER, -- when a wanted pause is to end by itself
    ticket        INTEGER NOT NULL, -- of what it was read with
    synced_at     INTEGER, -- compared with Stripe last
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_member ON subscription (site, member_id, id);
CREATE INDEX subscription_plan ON subscription (site, plan_id, id);
CREATE INDEX subscription_status ON subscription (site, status, id);
CREATE INDEX subscription_synced ON subscription (site, synced_at, id);
CREATE UNIQUE INDEX subscription_external ON subscription (site, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX subscription_payment ON subscription (site, payment_intent) WHERE payment_intent IS NOT NULL;

CREATE TABLE stripe_connection (
    site          INTEGER NOT NULL REFERENCES site (id),
    account_id    TEXT NOT NULL, -- whose account the key opens
    acts_for      TEXT, -- the connected account that a platform's key acts for: Stripe-Account
    base          TEXT, -- another address than Stripe's, for tests
    key_sealed    TEXT NOT NULL,
    key_hint      TEXT NOT NULL, -- its kind and its last letters
    live          INTEGER NOT NULL,
    ticket        INTEGER NOT NULL, -- the last that was taken
    sync_job      TEXT, -- the job that reads what is to be read
    events_until  INTEGER, -- events were listed until then
    swept_at      INTEGER, -- every subscription was compared then
    parked_at     INTEGER, -- the key may not do what it was to do, since then: nothing is written until it is mended
    parked_why    TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site)
) STRICT, WITHOUT ROWID;

-- Signing secrets of webhook endpoints: two while one is rolled.
CREATE TABLE stripe_secret (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL, -- the last letters of the secret
    sealed        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

-- Events that have come, each once.
CREATE TABLE stripe_event (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    received_at   INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_event_received ON stripe_event (received_at);

-- What is to be read from Stripe, since something was heard of it.
CREATE TABLE stripe_dirty (
    site          INTEGER NOT NULL,
    kind          TEXT NOT NULL, -- subscription, invoice, checkout, charge, customer
    object_id     TEXT NOT NULL,
    marks         INTEGER NOT NULL, -- the ticket that was the last when it was heard of last
    source        TEXT NOT NULL, -- who says so: webhook, events, sweep, resync, write
    event_id      TEXT,
    event_type    TEXT,
    since         INTEGER NOT NULL,
    not_before    INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    error         TEXT, -- why the last try failed
    PRIMARY KEY (site, kind, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_dirty_due ON stripe_dirty (site, not_before, kind, object_id);

-- Whose Stripe's customers are. A member may have several; the newest is used.
CREATE TABLE stripe_customer (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_customer_member ON stripe_customer (site, member_id, created_at);

-- Subscriptions at Stripe of which nobody knows the member.
CREATE TABLE stripe_stray (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL, -- Stripe's
    customer_id   TEXT,
    status        TEXT NOT NULL,
    price_id      TEXT,
    seen_at       INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

-- Checkouts that were made for members; the id is that of the job.
CREATE TABLE checkout (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    plan_id       TEXT NOT NULL,
    session_id    TEXT, -- Stripe's, once it is made
    status        TEXT NOT NULL, -- making, open, complete, expired, failed
    url           TEXT, -- where the member pays, while it is open
    expires_at    INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX checkout_member ON checkout (site, member_id, id);
CREATE UNIQUE INDEX checkout_session ON checkout (site, session_id) WHERE session_id IS NOT NULL;

-- Invoices stay when their member is deleted, without name and address: so the member is no foreign key, and the
-- addresses of its pages are taken out.
CREATE TABLE invoice (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL, -- made at the time of Stripe's, so newest first by id
    external_id   TEXT NOT NULL, -- Stripe's
    member_id     TEXT,
    customer_id   TEXT,
    subscription_id TEXT, -- ours
    number        TEXT,
    status        TEXT NOT NULL, -- draft, open, paid, uncollectible, void
    currency      TEXT NOT NULL,
    subtotal      INTEGER NOT NULL,
    tax           INTEGER NOT NULL,
    total         INTEGER NOT NULL,
    amount_due    INTEGER NOT NULL,
    amount_paid   INTEGER NOT NULL,
    amount_refunded INTEGER NOT NULL,
    lines         TEXT NOT NULL, -- JSON
    hosted_url    TEXT,
    pdf_url       TEXT,
    period_start  INTEGER, -- what it pays for, by its lines
    period_end    INTEGER,
    paid_at       INTEGER,
    created_at    INTEGER NOT NULL, -- Stripe's
    ticket        INTEGER NOT NULL,
    synced_at     INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invoice_external ON invoice (site, external_id);
CREATE INDEX invoice_member ON invoice (site, member_id, id);
CREATE INDEX invoice_subscription ON invoice (site, subscription_id, id);
CREATE INDEX invoice_status ON invoice (site, status, id);
