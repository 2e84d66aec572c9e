-- Who may tell a site of bounces and complaints.
CREATE TABLE notice_source (
    site            BIGINT NOT NULL REFERENCES site (id),
    provider        TEXT COLLATE "C" NOT NULL, -- ses, postmark, sendgrid
    id              TEXT COLLATE "C" NOT NULL, -- a topic's ARN; the last letters of a password or a key
    proof           TEXT, -- of a password its SHA-256, a key to verify with; null: AWS's certificates prove it
    base            TEXT, -- another address than AWS's, for tests
    heard_at        BIGINT, -- when it was last heard of, to the minute
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (site, provider, id)
);
