-- Content that access is about, groups, and what members may see.

ALTER TABLE member ADD COLUMN free_since BIGINT;      -- free access was given then; null: none
ALTER TABLE member ADD COLUMN free_until BIGINT;      -- and ends then; null: never
ALTER TABLE member ADD COLUMN trial_since BIGINT;     -- a trial given by the site, not by Stripe
ALTER TABLE member ADD COLUMN trial_until BIGINT;
ALTER TABLE member ADD COLUMN is_paid BOOLEAN NOT NULL DEFAULT FALSE; -- has a subscription that pays
ALTER TABLE member ADD COLUMN deleting_since BIGINT;  -- a job is deleting the member: only it may write
ALTER TABLE member ADD COLUMN merge_into TEXT COLLATE "C"; -- the member that a job moves everything of this one to
ALTER TABLE member ADD COLUMN twin_key TEXT COLLATE "C"; -- email_key without sub-address, and dots at Gmail; null if it is the same
CREATE INDEX member_lapse ON member (free_until) WHERE status = 'comped' AND free_until IS NOT NULL;
CREATE INDEX member_merge ON member (site, merge_into) WHERE merge_into IS NOT NULL;
-- Those of a name who may have access, however many have the name.
CREATE INDEX member_namesake ON member (site, name_key, id) WHERE status <> 'free' OR trial_until IS NOT NULL;
CREATE INDEX member_twin ON member (site, twin_key, id) WHERE twin_key IS NOT NULL;

CREATE TABLE video (
    site          BIGINT  NOT NULL REFERENCES site (id),
    id            TEXT    COLLATE "C" NOT NULL,
    title         TEXT    NOT NULL,
    title_key     TEXT    COLLATE "C" NOT NULL, -- lower case, for search
    slug          TEXT    COLLATE "C" NOT NULL,
    level         TEXT    NOT NULL,          -- free, members, bundle
    visibility    TEXT    NOT NULL,          -- published, unpublished, scheduled, hidden
    visible_from  BIGINT,                    -- while scheduled
    visible_until BIGINT,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX video_slug ON video (site, slug);

-- The plans that a video is limited to; none: every plan.
CREATE TABLE video_plan (
    site          BIGINT  NOT NULL,
    video_id      TEXT    COLLATE "C" NOT NULL,
    plan_id       TEXT    COLLATE "C" NOT NULL,
    PRIMARY KEY (site, video_id, plan_id),
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
);

CREATE TABLE bundle (
    site          BIGINT  NOT NULL REFERENCES site (id),
    id            TEXT    COLLATE "C" NOT NULL,
    name          TEXT    NOT NULL,
    name_key      TEXT    COLLATE "C" NOT NULL, -- lower case, for search
    description   TEXT,
    is_public     BOOLEAN NOT NULL,
    archived_at   BIGINT,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, id)
);

CREATE TABLE bundle_video (
    site          BIGINT  NOT NULL,
    bundle_id     TEXT    COLLATE "C" NOT NULL,
    video_id      TEXT    COLLATE "C" NOT NULL,
    PRIMARY KEY (site, bundle_id, video_id),
    FOREIGN KEY (site, bundle_id) REFERENCES bundle (site, id),
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
);
CREATE INDEX bundle_video_video ON bundle_video (site, video_id, bundle_id);

-- A member's right to a bundle: one row for both, whatever the number of grants. What holds it is a grant without an
-- order, and orders; it ends with the last of them, or earlier if all of it was taken away.
CREATE TABLE entitlement (
    site          BIGINT  NOT NULL,
    id            TEXT    COLLATE "C" NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    bundle_id     TEXT    COLLATE "C" NOT NULL,
    source        TEXT,                      -- who gave it last: import, a shop's name, …; null: no call has said
    granted_at    BIGINT  NOT NULL,          -- it holds from then on
    expires_at    BIGINT,                    -- and until then; null: for life
    revoked_at    BIGINT,
    job_id        TEXT    COLLATE "C",       -- the job that gave it last; null: a call did
    direct_since  BIGINT,                    -- a grant without an order holds it from then on; null: none does
    direct_until  BIGINT,                    -- and until then; null: for life
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, member_id, bundle_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, bundle_id) REFERENCES bundle (site, id)
);
CREATE UNIQUE INDEX entitlement_id ON entitlement (site, id);

-- Orders that were granted: each is one grant, however often it is sent.
CREATE TABLE granted_order (
    site          BIGINT  NOT NULL,
    order_id      TEXT    COLLATE "C" NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    bundle_id     TEXT    COLLATE "C" NOT NULL,
    granted_at    BIGINT  NOT NULL,
    expires_at    BIGINT,                    -- it holds the bundle until then; null: for life
    revoked_at    BIGINT,                    -- it was taken back, or the bundle was
    PRIMARY KEY (site, order_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX granted_order_member ON granted_order (site, member_id, bundle_id);

CREATE TABLE watch (
    site          BIGINT  NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    video_id      TEXT    COLLATE "C" NOT NULL,
    position_s    BIGINT  NOT NULL,          -- where to go on, in seconds
    furthest_s    BIGINT  NOT NULL,
    completed_at  BIGINT,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, member_id, video_id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
);

CREATE TABLE comment (
    site          BIGINT  NOT NULL,
    id            TEXT    COLLATE "C" NOT NULL,
    video_id      TEXT    COLLATE "C" NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    text          TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, video_id) REFERENCES video (site, id)
);
CREATE INDEX comment_video ON comment (site, video_id, id);
CREATE INDEX comment_member ON comment (site, member_id, id);

-- A group of members ("group" itself is a word of SQL), and who is in it.
CREATE TABLE member_group (
    site          BIGINT  NOT NULL REFERENCES site (id),
    id            TEXT    COLLATE "C" NOT NULL,
    name          TEXT    NOT NULL,
    name_key      TEXT    COLLATE "C" NOT NULL, -- lower case: no two groups of a site have the same
    description   TEXT,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    deleting_since BIGINT, -- a job is taking its places away: to all others it is gone
    access_job    TEXT,    -- the last job that gave access to its members, or took it
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX member_group_name ON member_group (site, name_key) WHERE deleting_since IS NULL;

CREATE TABLE group_place (
    site          BIGINT  NOT NULL,
    group_id      TEXT    COLLATE "C" NOT NULL,
    member_id     TEXT    COLLATE "C" NOT NULL,
    added_at      BIGINT  NOT NULL,
    PRIMARY KEY (site, group_id, member_id),
    FOREIGN KEY (site, group_id) REFERENCES member_group (site, id) ON DELETE CASCADE,
    FOREIGN KEY (site, member_id) REFERENCES member (site, id) ON DELETE CASCADE
);
CREATE INDEX group_place_member ON group_place (site, member_id, group_id);

-- What a site has used of what it may do in a day, all keys together.
CREATE TABLE daily_use (
    site          BIGINT  NOT NULL REFERENCES site (id),
    what          TEXT    COLLATE "C" NOT NULL, -- destructive, …
    day           BIGINT  NOT NULL,          -- its midnight, UTC
    used          BIGINT  NOT NULL,
    PRIMARY KEY (site, what, day)
);
