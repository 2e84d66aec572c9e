-- Addresses that members had. What is said of an old one is said of the person: see `areas/members/former.rs`.
CREATE TABLE former_address (
    site            BIGINT NOT NULL,
    email_key       TEXT COLLATE "C" NOT NULL,
    held_as         TEXT COLLATE "C" NOT NULL, -- the member who had it; another than `member_id` after a merge
    member_id       TEXT COLLATE "C" NOT NULL,
    email           TEXT NOT NULL, -- as typed
    is_first        BOOLEAN NOT NULL, -- whether nobody else is known to have had it before
    left_at         BIGINT NOT NULL,
    PRIMARY KEY (site, email_key, held_as),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id)
);
CREATE INDEX former_address_member ON former_address (site, member_id, email_key);

-- What the person wished (1 manual, 2 unsubscribe) where the stronger reason is about the address (3 invalid, 4 hard_bounce).
ALTER TABLE block ADD COLUMN wish BIGINT;
