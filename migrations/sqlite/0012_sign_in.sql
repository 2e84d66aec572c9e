-- Links by which members sign in once, and the keys that a site's sign-ins are signed with.

CREATE TABLE login_link (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    hash          BLOB NOT NULL, -- SHA-256 of the token in its address, which is kept nowhere
    redirect      TEXT, -- the path at the site where the member goes on; null: where the site likes
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX login_link_hash ON login_link (site, hash);
CREATE INDEX login_link_member ON login_link (site, member_id, id);
CREATE INDEX login_link_age ON login_link (expires_at);

-- A key is published from the moment it is there. It signs from `signs_from` until a later one does.
CREATE TABLE signing_key (
    site          INTEGER NOT NULL REFERENCES site (id),
    kid           TEXT NOT NULL, -- its thumbprint (RFC 7638)
    public_key    TEXT NOT NULL, -- Ed25519, 32 bytes in base64url, as `x` of its JWK
    private_sealed TEXT NOT NULL, -- `d` of its JWK
    created_at    INTEGER NOT NULL,
    signs_from    INTEGER NOT NULL,
    retired_at    INTEGER, -- it is no longer published from then on; null: nobody has said so
    PRIMARY KEY (site, kid)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('login_link', 'login_link', '1000000 100000 1'),
    ('login_link', 'login_link_hash', '1000000 100000 1'),
    ('login_link', 'login_link_member', '1000000 100000 5 1'),
    ('login_link', 'login_link_age', '1000000 1');
ANALYZE sqlite_schema;
