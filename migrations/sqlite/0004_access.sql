-- Content that access is about, groups, and what members may see.

ALTER TABLE member ADD COLUMN free_since INTEGER;      -- free access was given then; null: none
ALTER TABLE member ADD COLUMN free_until INTEGER;      -- and ends then; null: never
ALTER TABLE member ADD COLUMN trial_since INTEGER;     -- a trial given by the site, not by Stripe
ALTER TABLE member ADD COLUMN trial_until INTEGER;
ALTER TABLE member ADD COLUMN is_paid INTEGER NOT NULL DEFAULT 0; -- has a subscription that pays
ALTER TABLE member ADD COLUMN deleting_since INTEGER;  -- a job is deleting the member: only it may write
ALTER TABLE member ADD COLUMN merge_into TEXT; -- the member that a job moves everything of this one to
ALTER TABLE member ADD COLUMN twin_key TEXT; -- email_key without sub-address, and dots at Gmail; null if it is the same
CREATE INDEX member_lapse ON member (free_until) WHERE status = 'comped' AND free_until IS NOT NULL;
CREATE INDEX member_merge ON member (site, merge_into) WHERE merge_into IS NOT NULL;
-- Those of a name who may have access, however many have the name.
CREATE INDEX member_namesake ON member (site, name_key, id) WHERE status <> 'free' OR trial_until IS NOT NULL;
CREATE INDEX member_twin ON member (site, twin_key, id) WHERE twin_key IS NOT NULL;

CREATE TABLE video (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    title         TEXT NOT NULL,
    title_key     TEXT NOT NULL, -- lower case, for search
    slug          TEXT NOT NULL,
    level         TEXT NOT NULL, -- free, members, bundle
    visibility    TEXT NOT NULL, -- published, unpublished, scheduled, hidden
    visible_from  INTEGER, -- while scheduled
    visible_until INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX video_slug ON video (site, slug);

-- The plans that a video is limited to; none: every plan.
CREATE TABLE video_plan (
    site          INTEGER NOT NULL,
    video_id      TEXT NOT NULL,
    plan_id       TEXT NOT NULL,
    PRIMARY KEY (site, video_id, plan_id),
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL, -- lower case, for search
    description   TEXT,
    is_public     INTEGER NOT NULL,
    archived_at   INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle_video (
    site          INTEGER NOT NULL,
    bundle_id     TEXT NOT NULL,
    video_id      TEXT NOT NULL,
    PRIMARY KEY (site, bundle_id, video_id),
    FOREIGN KEY (site, bundle_id) REFERENCES bundle (site, id),
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bundle_video_video ON bundle_video (site, video_id, bundle_id);

-- A member's right to a bundle: one row for both, whatever the number of grants. What holds it is a grant without an
-- order, and orders; it ends with the last of them, or earlier if all of it was taken away.
CREATE TABLE entitlement (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    bundle_id     TEXT NOT NULL,
    source        TEXT, -- who gave it last: import, a shop's name, …; null: no call has said
    granted_at    INTEGER NOT NULL, -- it holds from then on
    expires_at    INTEGER, -- and until then; null: for life
    revoked_at    INTEGER,
    job_id        TEXT, -- the job that gave it last; null: a call did
    direct_since  INTEGER, -- a grant without an order holds it from then on; null: none does
    direct_until  INTEGER, -- and until then; null: for life
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, member_id, bundle_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, bundle_id) REFERENCES bundle (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entitlement_id ON entitlement (site, id);

-- Orders that were granted: each is one grant, however often it is sent.
CREATE TABLE granted_order (
    site          INTEGER NOT NULL,
    order_id      TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    bundle_id     TEXT NOT NULL,
    granted_at    INTEGER NOT NULL,
    expires_at    INTEGER, -- it holds the bundle until then; null: for life
    revoked_at    INTEGER, -- it was taken back, or the bundle was
    PRIMARY KEY (site, order_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX granted_order_member ON granted_order (site, member_id, bundle_id);

CREATE TABLE watch (
    site          INTEGER NOT NULL,
    member_id     TEXT NOT NULL,
    video_id      TEXT NOT NULL,
    position_s    INTEGER NOT NULL, -- where to go on, in seconds
    furthest_s    INTEGER NOT NULL,
    completed_at  INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (site, member_id, video_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE comment (
    site          INTEGER NOT NULL,
    id            TEXT NOT NULL,
    video_id      TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    text          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX comment_video ON comment (site, video_id, id);
CREATE INDEX comment_member ON comment (site, member_id, id);

-- A group of members ("group" itself is a word of SQL), and who is in it.
CREATE TABLE member_group (
    site          INTEGER NOT NULL REFERENCES site (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL, -- lower case: no two groups of a site have the same
    description   TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleting_since INTEGER, -- a job is taking its places away: to all others it is gone
    access_job    TEXT, -- the last job that gave access to its members, or took it
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_group_name ON member_group (site, name_key) WHERE deleting_since IS NULL;

CREATE TABLE group_place (
    site          INTEGER NOT NULL,
    group_id      TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (site, group_id, member_id),
    FOREIGN KEY (site, group_id) REFERENCES member_group (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX group_place_member ON group_place (site, member_id, group_id);

-- What a site has used of what it may do in a day, all keys together.
CREATE TABLE daily_use (
    site          INTEGER NOT NULL REFERENCES site (id),
    what          TEXT NOT NULL, -- destructive, …
    day           INTEGER NOT NULL, -- its midnight, UTC
    used          INTEGER NOT NULL,
    PRIMARY KEY (site, what, day)
) STRICT, WITHOUT ROWID;
