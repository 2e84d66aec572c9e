-- With which address somebody pays at Stripe, so that who signs in with that one is found; and which job a word about a
-- subscription is to come true by, so that cancelling it takes the word back.
ALTER TABLE stripe_customer ADD COLUMN email_key TEXT COLLATE "C";
CREATE INDEX stripe_customer_email ON stripe_customer (site, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX subscription_asked ON subscription (site, asked_job) WHERE asked_job IS NOT NULL;
