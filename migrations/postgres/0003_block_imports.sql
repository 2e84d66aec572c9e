-- Which import an entry of the block list comes from, so that an import can be taken back.

-- Imports that can still be taken back. Those that are older are forgotten, with what was kept for them.
CREATE TABLE block_import (
    site          BIGINT  NOT NULL,
    number        BIGINT  NOT NULL,          -- from 1 in its site
    job_id        TEXT    COLLATE "C" NOT NULL,
    started_at    BIGINT  NOT NULL,
    undone_at     BIGINT,                    -- when somebody asked to take it back
    PRIMARY KEY (site, number)
);
CREATE UNIQUE INDEX block_import_job ON block_import (site, job_id);

ALTER TABLE block ADD COLUMN import BIGINT;         -- the import that the entry comes from, if one
ALTER TABLE block ADD COLUMN own_first_seen BIGINT; -- what that source said, if another one says an earlier time

-- What the others say of an entry that comes from an import: the strongest of them stands if that import is taken back.
CREATE TABLE block_claim (
    site          BIGINT  NOT NULL,
    email_key     TEXT    COLLATE "C" NOT NULL,
    import        BIGINT  NOT NULL,          -- 0: a direct call
    strength      BIGINT  NOT NULL,
    source        TEXT    NOT NULL,
    note          TEXT,
    vendor_code   TEXT,
    first_seen    BIGINT  NOT NULL,
    PRIMARY KEY (site, email_key, import)
);
