-- Invoices are found by the number that is printed on them, and checkouts that should be over are looked at.
CREATE INDEX invoice_number ON invoice (site, number) WHERE number IS NOT NULL;
CREATE INDEX checkout_open ON checkout (site, expires_at) WHERE status = 'open';

-- SQLite has no statistics of its own accord, takes a site for ten rows, and then reads all of a site by the primary key
-- where an index would lead to one row. These say what is true of any site with many rows; `ANALYZE` would replace them.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('subscription', 'subscription', '1000000 100000 1'),
    ('subscription', 'subscription_member', '1000000 100000 2 1'),
    ('subscription', 'subscription_plan', '1000000 100000 20000 1'),
    ('subscription', 'subscription_status', '1000000 100000 20000 1'),
    ('subscription', 'subscription_synced', '1000000 100000 100 1'),
    ('subscription', 'subscription_external', '1000000 100000 1'),
    ('subscription', 'subscription_payment', '100000 10000 1'),
    ('invoice', 'invoice', '1000000 100000 1'),
    ('invoice', 'invoice_external', '1000000 100000 1'),
    ('invoice', 'invoice_member', '1000000 100000 20 1'),
    ('invoice', 'invoice_subscription', '1000000 100000 20 1'),
    ('invoice', 'invoice_status', '1000000 100000 20000 1'),
    ('invoice', 'invoice_number', '1000000 100000 1'),
    ('checkout', 'checkout', '1000000 100000 1'),
    ('checkout', 'checkout_member', '1000000 100000 3 1'),
    ('checkout', 'checkout_session', '1000000 100000 1'),
    ('checkout', 'checkout_open', '10000 1000 1'),
    ('stripe_customer', 'stripe_customer', '1000000 100000 1'),
    ('stripe_customer', 'stripe_customer_member', '1000000 100000 2 1'),
    ('stripe_dirty', 'stripe_dirty', '100000 10000 5000 1'),
    ('stripe_dirty', 'stripe_dirty_due', '100000 10000 10 1 1');
ANALYZE sqlite_schema;
