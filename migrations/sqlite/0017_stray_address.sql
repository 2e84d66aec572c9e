-- With which address a subscription is paid of which nobody knows the member, as of members: so that it is found from there.
-- Empty: it has none, or it was forgotten; null: nobody has asked yet.
ALTER TABLE stripe_stray ADD COLUMN email_key TEXT;
CREATE INDEX stripe_stray_email ON stripe_stray (site, email_key) WHERE email_key IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('stripe_stray', 'stripe_stray', '10000 1000 1'),
    ('stripe_stray', 'stripe_stray_email', '10000 1000 1'),
    ('stripe_customer', 'stripe_customer_email', '1000000 100000 1');
ANALYZE sqlite_schema;
