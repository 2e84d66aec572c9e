-- Whose account a site's customers, plans and subscriptions are of: it outlasts the connection, since what is known by
-- Stripe's ids means nothing in another account.
CREATE TABLE stripe_account (
    site            INTEGER NOT NULL REFERENCES site (id),
    account_id      TEXT NOT NULL,
    live            INTEGER NOT NULL,
    PRIMARY KEY (site)
) STRICT, WITHOUT ROWID;
INSERT INTO stripe_account (site, account_id, live) SELECT site, account_id, live FROM stripe_connection;
