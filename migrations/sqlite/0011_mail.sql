-- How each site sends mail, every mail that it sends, and the templates of mails.

CREATE TABLE mail_connection (
    site            INTEGER NOT NULL PRIMARY KEY REFERENCES site (id),
    transport       TEXT NOT NULL, -- smtp, folder
    host            TEXT,
    port            INTEGER,
    security        TEXT, -- starttls, tls, plain
    username        TEXT,
    password_sealed TEXT,
    extra_roots     TEXT, -- certificates that are believed beside the machine's, PEM
    folder          TEXT, -- where .eml files go
    from_name       TEXT NOT NULL,
    from_address    TEXT NOT NULL,
    reply_to        TEXT,
    dkim_domain     TEXT,
    dkim_selector   TEXT,
    dkim_key_sealed TEXT,
    revision        INTEGER NOT NULL, -- grows with each change
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One mail to one person. What it says is kept sealed, and only until it has left or is given up.
CREATE TABLE email (
    site            INTEGER NOT NULL,
    id              TEXT NOT NULL,
    request_id      TEXT NOT NULL, -- the call that sent it; the mails of one call have the same
    job_id          TEXT, -- null: it was never to go out
    member_id       TEXT NOT NULL,
    address         TEXT NOT NULL, -- as it was when the mail was accepted
    kind            TEXT NOT NULL, -- message, template, invite, sign_in
    template_id     TEXT,
    subject         TEXT NOT NULL,
    content         TEXT, -- sealed
    content_hash    TEXT, -- of what it says, keyed; null: it may be said again at any time
    status          TEXT NOT NULL, -- queued, sending, sent, blocked, failed
    reason          TEXT, -- why it is blocked or failed
    reply           TEXT, -- the server's last words
    attempts        INTEGER NOT NULL,
    in_doubt        INTEGER NOT NULL, -- it may have been taken without our knowing, and have arrived twice
    message_id      TEXT, -- the header, once it was first offered
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    sent_at         INTEGER,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX email_member ON email (site, member_id, id);
CREATE INDEX email_request ON email (site, request_id, id);
CREATE INDEX email_status ON email (site, status, id);
CREATE INDEX email_age ON email (site, created_at);
CREATE INDEX email_job ON email (site, job_id) WHERE job_id IS NOT NULL;

CREATE TABLE email_template (
    site            INTEGER NOT NULL REFERENCES site (id),
    id              TEXT NOT NULL,
    name            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    text            TEXT, -- null: it is made from html
    html            TEXT,
    variables       TEXT NOT NULL, -- JSON: names of its own placeholders
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX email_template_name ON email_template (site, name);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('email', 'email', '1000000 100000 1'),
    ('email', 'email_member', '1000000 100000 20 1'),
    ('email', 'email_request', '1000000 100000 5 1'),
    ('email', 'email_status', '1000000 100000 20000 1'),
    ('email', 'email_age', '1000000 100000 1'),
    ('email', 'email_job', '1000000 100000 1'),
    ('email_template', 'email_template', '10000 100 1'),
    ('email_template', 'email_template_name', '10000 100 1');
ANALYZE sqlite_schema;
