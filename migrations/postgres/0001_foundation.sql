-- Times are microseconds since the Unix epoch, set by the program. Ids are text that sorts by time.
-- The site is part of every primary key, unique index and foreign key.

CREATE TABLE site (
    id            BIGINT  NOT NULL,
    name          TEXT    NOT NULL,
    domain        TEXT    COLLATE "C",       -- its own host name; null: any name that is no other site's
    live          BOOLEAN NOT NULL,
    settings      TEXT    NOT NULL,          -- JSON: budgets, retention; what is absent has its default
    revision      BIGINT  NOT NULL,          -- grows whenever the site, or a key of it, changes
    created_at    BIGINT  NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX site_domain ON site (domain) WHERE domain IS NOT NULL;

CREATE TABLE api_key (
    site          BIGINT  NOT NULL REFERENCES site (id),
    id            TEXT    COLLATE "C" NOT NULL,
    name          TEXT    NOT NULL,
    hash          BYTEA   NOT NULL,          -- SHA-256 of the secret
    old_hash      BYTEA,                     -- of the secret before the last rotation
    old_until     BIGINT,                    -- which works until then
    scopes        TEXT    NOT NULL,          -- comma separated
    expires_at    BIGINT,
    revoked_at    BIGINT,
    created_at    BIGINT  NOT NULL,
    last_used_at  BIGINT,
    PRIMARY KEY (site, id)
);

CREATE TABLE member (
    site          BIGINT  NOT NULL REFERENCES site (id),
    id            TEXT    COLLATE "C" NOT NULL,
    email         TEXT    NOT NULL,          -- as typed
    email_key     TEXT    COLLATE "C" NOT NULL, -- trimmed, NFC, lower case: the identity
    name          TEXT,
    name_key      TEXT    COLLATE "C" NOT NULL, -- lower case, for search and order
    note          TEXT,
    status        TEXT    NOT NULL,          -- free, paid, comped
    created_at    BIGINT  NOT NULL,          -- the millisecond in the id, so ids are in its order
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX member_email ON member (site, email_key);
CREATE INDEX member_name ON member (site, name_key, id);
CREATE INDEX member_status ON member (site, status, id);

CREATE TABLE member_tag (
    site          BIGINT  NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    tag           TEXT    COLLATE "C" NOT NULL,
    PRIMARY KEY (site, member_id, tag),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX member_tag_tag ON member_tag (site, tag, member_id);

-- Addresses that get no mail but sign-in. They need not be members.
CREATE TABLE block (
    site          BIGINT  NOT NULL,
    email_key     TEXT    COLLATE "C" NOT NULL,
    id            TEXT    COLLATE "C" NOT NULL,
    email         TEXT    NOT NULL,
    strength      BIGINT  NOT NULL,          -- of the reason: 1 manual … 5 complaint
    source        TEXT    NOT NULL,          -- api, admin, import, …
    note          TEXT,
    vendor_code   TEXT,                      -- what the mail provider called it
    first_seen    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, email_key)
);
CREATE UNIQUE INDEX block_id ON block (site, id);

CREATE TABLE upload (
    site          BIGINT  NOT NULL,
    id            TEXT    COLLATE "C" NOT NULL,
    key_id        TEXT    NOT NULL,
    name          TEXT,                      -- as the client called it
    bytes         BIGINT  NOT NULL,
    sha256        TEXT    NOT NULL,          -- lower-case hexadecimal
    created_at    BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX upload_expiry ON upload (expires_at);

-- The first answer to each Idempotency-Key, in the same transaction as its effect.
CREATE TABLE idempotency (
    site          BIGINT  NOT NULL,
    key_id        TEXT    COLLATE "C" NOT NULL,
    idempotency_key TEXT  COLLATE "C" NOT NULL,
    fingerprint   BYTEA   NOT NULL,          -- SHA-256 of tool and arguments
    answer        TEXT    NOT NULL,          -- the body, byte for byte
    request_id    TEXT    NOT NULL,          -- the call that got it
    created_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, key_id, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Every call with a known key, every job's outcome, every change by the command line.
-- The id is the request's: it sorts by the time the call came in.
CREATE TABLE activity (
    site          BIGINT  NOT NULL,
    id            TEXT    COLLATE "C" NOT NULL,
    at            BIGINT  NOT NULL,
    actor         TEXT    NOT NULL,          -- key, admin, member, worker, stripe, cli
    key_id        TEXT    COLLATE "C",
    surface       TEXT    NOT NULL,          -- http, cli, worker
    tool          TEXT    NOT NULL,
    args          TEXT,                      -- JSON, redacted
    status        TEXT    NOT NULL,          -- ok, refused (by the tool), rejected (by the gate), failed
    code          TEXT,                      -- of the error table
    duration_us   BIGINT  NOT NULL,
    member_id     TEXT    COLLATE "C",
    job_id        TEXT    COLLATE "C",
    changes       TEXT,                      -- JSON: kind, id, before, after
    dry_run       BOOLEAN NOT NULL,
    replayed      BOOLEAN NOT NULL,
    count         BIGINT  NOT NULL,          -- calls that share this row
    PRIMARY KEY (site, id)
);
CREATE INDEX activity_member ON activity (site, member_id, id) WHERE member_id IS NOT NULL;
CREATE INDEX activity_job ON activity (site, job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX activity_code ON activity (site, code, id) WHERE code IS NOT NULL;

-- What a key has used of its budgets, where several processes share them. Losing it in a crash of the
-- server opens one minute's budget again, so it needs no log.
CREATE UNLOGGED TABLE budget (
    site          BIGINT  NOT NULL,
    key_id        TEXT    COLLATE "C" NOT NULL,
    version       BIGINT  NOT NULL,
    state         BYTEA   NOT NULL,
    PRIMARY KEY (site, key_id)
) WITH (fillfactor = 50);

-- What is only once in a database, whatever the number of sites.
CREATE TABLE setting (
    name          TEXT    NOT NULL,
    value         TEXT    NOT NULL,
    PRIMARY KEY (name)
);
