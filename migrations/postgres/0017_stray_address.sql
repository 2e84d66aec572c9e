-- With which address a subscription is paid of which nobody knows the member, as of members: so that it is found from there.
-- Empty: it has none, or it was forgotten; null: nobody has asked yet.
ALTER TABLE stripe_stray ADD COLUMN email_key TEXT COLLATE "C";
CREATE INDEX stripe_stray_email ON stripe_stray (site, email_key) WHERE email_key IS NOT NULL;
