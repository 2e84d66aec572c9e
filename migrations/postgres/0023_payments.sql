-- What was paid once without an invoice, as on a payment link, so that payments can be listed. It is read from the charge.
CREATE TABLE sale_payment (
    site            BIGINT NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL, -- what was sold
    intent_id       TEXT COLLATE "C" NOT NULL, -- Stripe's payment intent
    amount          BIGINT NOT NULL,
    amount_refunded BIGINT NOT NULL,
    currency        TEXT COLLATE "C" NOT NULL,
    paid_at         BIGINT NOT NULL,
    ticket          BIGINT NOT NULL, -- of what it was read with
    PRIMARY KEY (site, subscription_id),
    FOREIGN KEY (site, subscription_id) REFERENCES subscription (site, id) ON DELETE CASCADE
);
CREATE INDEX sale_payment_paid ON sale_payment (site, paid_at, subscription_id);
CREATE INDEX invoice_paid ON invoice (site, (COALESCE(paid_at, created_at)), id) WHERE amount_paid > 0;

-- What jobs give back of invoices. While a job runs, its amount is not given back again.
CREATE TABLE invoice_refund (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL, -- the job's
    invoice_id      TEXT COLLATE "C" NOT NULL,
    amount          BIGINT NOT NULL,
    external_id     TEXT COLLATE "C", -- Stripe's, once it is made
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, invoice_id) REFERENCES invoice (site, id)
);
CREATE INDEX invoice_refund_invoice ON invoice_refund (site, invoice_id, id);

-- The job that changes a subscription's plan: the last one counts, and none once it was cancelled.
ALTER TABLE subscription ADD COLUMN plan_job TEXT COLLATE "C";

-- Of what a customer's address was read with; null: it is what a checkout or an invoice said.
ALTER TABLE stripe_customer ADD COLUMN email_ticket BIGINT;

-- Sales of before are read once more, and their charges with them.
INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries)
SELECT s.site, 'checkout', s.external_id, c.ticket, 'sweep', s.updated_at, s.updated_at, 0
FROM subscription s JOIN stripe_connection c ON c.site = s.site
WHERE s.external_id LIKE 'cs%' AND s.payment_intent IS NOT NULL
ON CONFLICT DO NOTHING;
