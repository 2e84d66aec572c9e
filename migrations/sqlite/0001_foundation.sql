-- Times are microseconds since the Unix epoch, set by the program. Ids are text that sorts by time.
-- The site is part of every primary key, unique index and foreign key.

CREATE TABLE site (
    id            INTEGER NOT NULL,
    name          TEXT NOT NULL,
    domain        TEXT, -- its own host name; null: any name that is no other site's
    live          INTEGER NOT NULL,
    settings      TEXT NOT NULL, -- JSON: budgets, retention; what is absent has its default
    revision      INTEGER NOT NULL, -- grows whenever the site, or a key of it, changes
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX site_domain ON site (domain) WHERE domain IS NOT NULL;

CREATE TABLE api_key (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    hash          BLOB NOT NULL, -- SHA-256 of the secret
    old_hash      BLOB, -- of the secret before the last rotation
    old_until     INTEGER, -- which works until then
    scopes        TEXT NOT NULL, -- comma separated
    expires_at    INTEGER,
    revoked_at    INTEGER,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    email         TEXT NOT NULL, -- as typed
    email_key     TEXT NOT NULL, -- trimmed, NFC, lower case: the identity
    name          TEXT,
    name_key      TEXT NOT NULL, -- lower case, for search and order
    note          TEXT,
    status        TEXT NOT NULL, -- free, paid, comped
    created_at    INTEGER NOT NULL, -- the millisecond in the id, so ids are in its order
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_email ON member (site, email_key);
CREATE INDEX member_name ON member (site, name_key, id);
CREATE INDEX member_status ON member (site, status, id);

CREATE TABLE member_tag (
    site          INTEGER NOT NULL,
    member_id     TEXT NOT NULL,
    tag           TEXT NOT NULL,
    PRIMARY KEY (site, member_id, tag),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX member_tag_tag ON member_tag (site, tag, member_id);

-- Addresses that get no mail but sign-in. They need not be members.
CREATE TABLE block (
    site          INTEGER NOT NULL,
    email_key     TEXT NOT NULL,
    id            TEXT NOT NULL,
    email         TEXT NOT NULL,
    strength      INTEGER NOT NULL, -- of the reason: 1 manual … 5 complaint
    source        TEXT NOT NULL, -- api, admin, import, …
    note          TEXT,
    vendor_code   TEXT, -- what the mail provider called it
    first_seen    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, email_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX block_id ON block (site, id);

CREATE TABLE upload (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    name          TEXT, -- as the client called it
    bytes         INTEGER NOT NULL,
    sha256        TEXT NOT NULL, -- lower-case hexadecimal
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_expiry ON upload (expires_at);

-- The first answer to each Idempotency-Key, in the same transaction as its effect.
CREATE TABLE idempotency (
    site          INTEGER NOT NULL,
    key_id        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint   BLOB NOT NULL, -- SHA-256 of tool and arguments
    answer        TEXT NOT NULL, -- the body, byte for byte
    request_id    TEXT NOT NULL, -- the call that got it
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (site, key_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Every call with a known key, every job's outcome, every change by the command line.
-- The id is the request's: it sorts by the time the call came in.
CREATE TABLE activity (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    at            INTEGER NOT NULL,
    actor         TEXT NOT NULL, -- key, admin, member, worker, stripe, cli
    key_id        TEXT   ,
    surface       TEXT NOT NULL, -- http, cli, worker
    tool          TEXT NOT NULL,
    args          TEXT, -- JSON, redacted
    status        TEXT NOT NULL, -- ok, refused (by the tool), rejected (by the gate), failed
    code          TEXT, -- of the error table
    duration_us   INTEGER NOT NULL,
    member_id     TEXT   ,
    job_id        TEXT   ,
    changes       TEXT, -- JSON: kind, id, before, after
    dry_run       INTEGER NOT NULL,
    replayed      INTEGER NOT NULL,
    count         INTEGER NOT NULL, -- calls that share this row
    PRIMARY KEY (site, id)
) STRICT; -- with a rowid: rows are appended, and a page that is appended to is never split
CREATE INDEX activity_member ON activity (site, member_id, id) WHERE member_id IS NOT NULL;
CREATE INDEX activity_job ON activity (site, job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX activity_code ON activity (site, code, id) WHERE code IS NOT NULL;

-- What is only once in a database, whatever the number of sites.
CREATE TABLE setting (
    name          TEXT NOT NULL,
    value         TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
