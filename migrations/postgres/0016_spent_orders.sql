-- Orders of members who were deleted, so that none of them is granted again: a keyed hash of each, as the order's own name
-- would lead a shop to the person.
CREATE TABLE spent_order (
    site            BIGINT NOT NULL REFERENCES site (id),
    hash            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, hash)
);
