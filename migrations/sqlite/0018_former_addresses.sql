-- Addresses that members had. What is said of an old one is said of the person: see `areas/members/former.rs`.
CREATE TABLE former_address (
    site            INTEGER NOT NULL,
    email_key       TEXT NOT NULL,
    held_as         TEXT NOT NULL, -- the member who had it; another than `member_id` after a merge
    member_id       TEXT NOT NULL,
    email           TEXT NOT NULL, -- as typed
    is_first        INTEGER NOT NULL, -- whether nobody else is known to have had it before
    left_at         INTEGER NOT NULL,
    PRIMARY KEY (site, email_key, held_as),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_address_member ON former_address (site, member_id, email_key);

-- What the person wished (1 manual, 2 unsubscribe) where the stronger reason is about the address (3 invalid, 4 hard_bounce).
ALTER TABLE block ADD COLUMN wish INTEGER;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('former_address', 'former_address', '1000000 100000 1 1'),
    ('former_address', 'former_address_member', '1000000 100000 1 1');
ANALYZE sqlite_schema;
