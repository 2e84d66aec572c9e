-- Work that was accepted and is applied by a worker. This row is the truth; a ticket in apalis' own
-- table only says "look at this job".
CREATE TABLE job (
    site         INTEGER NOT NULL,
    id           TEXT NOT NULL,
    kind         TEXT   NOT NULL,           -- which handler
    queue        TEXT   NOT NULL,
    payload      TEXT   NOT NULL,           -- JSON: ids and numbers, readable for ever
    state        TEXT   NOT NULL,           -- queued, running, succeeded, failed, cancelled
    key_id       TEXT, -- the key that started it, and may see it
    request_id   TEXT, -- the call that started it
    dedupe       TEXT, -- two jobs with the same one are one job
    attempt      INTEGER NOT NULL, -- runs so far that count
    max_attempts INTEGER NOT NULL,
    epoch        INTEGER NOT NULL, -- fencing token: grows with each claim
    not_before   INTEGER NOT NULL, -- microseconds
    lease_until  INTEGER NOT NULL, -- microseconds; 0 while nobody has it
    ticket       TEXT   NOT NULL,           -- the ticket that will bring it to a worker
    cancelling   INTEGER NOT NULL, -- asked to stop at its next checkpoint
    checkpoint   TEXT, -- JSON: where to go on, only for its handler
    progress     TEXT   NOT NULL,           -- JSON: done, total and counts, for everybody
    result       TEXT, -- JSON, once it succeeded
    error_code   TEXT, -- once an attempt failed: the last failure
    error        TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    finished_at  INTEGER,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX job_dedupe ON job (site, dedupe) WHERE dedupe IS NOT NULL;
-- One index for each state: SQLite does not see that `state = 'queued'` implies `state IN (…)`. Without the
-- lease, so that PostgreSQL can renew one without touching an index.
CREATE INDEX job_queued ON job (not_before) WHERE state = 'queued';
CREATE INDEX job_running ON job (site) WHERE state = 'running';
CREATE INDEX job_key ON job (site, key_id, id);
CREATE INDEX job_dead ON job (finished_at) WHERE state = 'failed';
CREATE INDEX job_over ON job (finished_at) WHERE finished_at IS NOT NULL;
