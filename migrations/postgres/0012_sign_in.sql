-- Links by which members sign in once, and the keys that a site's sign-ins are signed with.

CREATE TABLE login_link (
    site          BIGINT NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    member_id     TEXT COLLATE "C" NOT NULL,
    hash          BYTEA NOT NULL, -- SHA-256 of the token in its address, which is kept nowhere
    redirect      TEXT, -- the path at the site where the member goes on; null: where the site likes
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id)
);
CREATE UNIQUE INDEX login_link_hash ON login_link (site, hash);
CREATE INDEX login_link_member ON login_link (site, member_id, id);
CREATE INDEX login_link_age ON login_link (expires_at);

-- A key is published from the moment it is there. It signs from `signs_from` until a later one does.
CREATE TABLE signing_key (
    site          BIGINT NOT NULL REFERENCES site (id),
    kid           TEXT COLLATE "C" NOT NULL, -- its thumbprint (RFC 7638)
    public_key    TEXT NOT NULL, -- Ed25519, 32 bytes in base64url, as `x` of its JWK
    private_sealed TEXT NOT NULL, -- `d` of its JWK
    created_at    BIGINT NOT NULL,
    signs_from    BIGINT NOT NULL,
    retired_at    BIGINT, -- it is no longer published from then on; null: nobody has said so
    PRIMARY KEY (site, kid)
);
