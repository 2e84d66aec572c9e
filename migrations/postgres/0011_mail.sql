-- How each site sends mail, every mail that it sends, and the templates of mails.

CREATE TABLE mail_connection (
    site            BIGINT NOT NULL PRIMARY KEY REFERENCES site (id),
    transport       TEXT COLLATE "C" NOT NULL, -- smtp, folder
    host            TEXT,
    port            BIGINT,
    security        TEXT COLLATE "C", -- starttls, tls, plain
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
    revision        BIGINT NOT NULL, -- grows with each change
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

-- One mail to one person. What it says is kept sealed, and only until it has left or is given up.
CREATE TABLE email (
    site            BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    request_id      TEXT COLLATE "C" NOT NULL, -- the call that sent it; the mails of one call have the same
    job_id          TEXT COLLATE "C", -- null: it was never to go out
    member_id       TEXT COLLATE "C" NOT NULL,
    address         TEXT NOT NULL, -- as it was when the mail was accepted
    kind            TEXT COLLATE "C" NOT NULL, -- message, template, invite, sign_in
    template_id     TEXT COLLATE "C",
    subject         TEXT NOT NULL,
    content         TEXT, -- sealed
    content_hash    TEXT COLLATE "C", -- of what it says, keyed; null: it may be said again at any time
    status          TEXT COLLATE "C" NOT NULL, -- queued, sending, sent, blocked, failed
    reason          TEXT, -- why it is blocked or failed
    reply           TEXT, -- the server's last words
    attempts        BIGINT NOT NULL,
    in_doubt        BOOLEAN NOT NULL, -- it may have been taken without our knowing, and have arrived twice
    message_id      TEXT, -- the header, once it was first offered
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    sent_at         BIGINT,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX email_member ON email (site, member_id, id);
CREATE INDEX email_request ON email (site, request_id, id);
CREATE INDEX email_status ON email (site, status, id);
CREATE INDEX email_age ON email (site, created_at);
CREATE INDEX email_job ON email (site, job_id) WHERE job_id IS NOT NULL;

CREATE TABLE email_template (
    site            BIGINT NOT NULL REFERENCES site (id),
    id              TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    subject         TEXT NOT NULL,
    text            TEXT, -- null: it is made from html
    html            TEXT,
    variables       TEXT NOT NULL, -- JSON: names of its own placeholders
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX email_template_name ON email_template (site, name);
