-- Which import an entry of the block list comes from, so that an import can be taken back.

-- Imports that can still be taken back. Those that are older are forgotten, with what was kept for them.
CREATE TABLE block_import (
    site          INTEGER NOT NULL,
    number        INTEGER NOT NULL, -- from 1 in its site; short, as it stands in every row of an import
    job_id        TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    undone_at     INTEGER, -- when somebody asked to take it back
    PRIMARY KEY (site, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX block_import_job ON block_import (site, job_id);

ALTER TABLE block ADD COLUMN import INTEGER; -- the import that the entry comes from, if one
ALTER TABLE block ADD COLUMN own_first_seen INTEGER; -- what that source said, if another one says an earlier time

-- What the others say of an entry that comes from an import: the strongest of them stands if that import is taken back.
CREATE TABLE block_claim (
    site          INTEGER NOT NULL,
    email_key     TEXT NOT NULL,
    import        INTEGER NOT NULL, -- 0: a direct call
    strength      INTEGER NOT NULL,
    source        TEXT NOT NULL,
    note          TEXT,
    vendor_code   TEXT,
    first_seen    INTEGER NOT NULL,
    PRIMARY KEY (site, email_key, import)
) STRICT, WITHOUT ROWID;
