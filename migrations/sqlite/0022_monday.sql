-- Members that were changed since a time.
CREATE INDEX member_updated ON member (site, updated_at, id);

-- What the caller of a refused or failed call was told.
ALTER TABLE activity ADD COLUMN error TEXT;
-- The calls that were not done, however many were.
CREATE INDEX activity_trouble ON activity (site, id) WHERE status <> 'ok';

-- Who owns a bundle, and who has watched a video.
CREATE INDEX entitlement_bundle ON entitlement (site, bundle_id, member_id);
CREATE INDEX watch_video ON watch (site, video_id, member_id);

-- How many members a site has, by status as it is stored, and how many of them have an address on the block list. The
-- triggers keep it with each change. On PostgreSQL one row that all writers of a site change would make them wait for each
-- other: there they append, and src/areas/members/tally folds what they have appended.
CREATE TABLE member_tally (
    site          INTEGER NOT NULL PRIMARY KEY REFERENCES site (id),
    free          INTEGER NOT NULL,
    paid          INTEGER NOT NULL,
    comped        INTEGER NOT NULL,
    blocked       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO member_tally (site, free, paid, comped, blocked)
SELECT m.site, sum(m.status = 'free'), sum(m.status = 'paid'), sum(m.status = 'comped'),
       sum(EXISTS (SELECT 1 FROM block b WHERE b.site = m.site AND b.email_key = m.email_key))
FROM member m GROUP BY m.site;
-- Free access that has ended, and whose end is not written down yet.
CREATE INDEX member_lapsed ON member (site, free_until, is_paid) WHERE status = 'comped' AND free_until IS NOT NULL;

CREATE TRIGGER member_tally_insert AFTER INSERT ON member BEGIN
    INSERT INTO member_tally (site, free, paid, comped, blocked)
    VALUES (NEW.site, NEW.status = 'free', NEW.status = 'paid', NEW.status = 'comped',
            EXISTS (SELECT 1 FROM block b WHERE b.site = NEW.site AND b.email_key = NEW.email_key))
    ON CONFLICT (site) DO UPDATE SET free = free + excluded.free, paid = paid + excluded.paid,
        comped = comped + excluded.comped, blocked = blocked + excluded.blocked;
END;
CREATE TRIGGER member_tally_delete AFTER DELETE ON member BEGIN
    UPDATE member_tally SET free = free - (OLD.status = 'free'), paid = paid - (OLD.status = 'paid'),
        comped = comped - (OLD.status = 'comped'),
        blocked = blocked - EXISTS (SELECT 1 FROM block b WHERE b.site = OLD.site AND b.email_key = OLD.email_key)
    WHERE site = OLD.site;
END;
CREATE TRIGGER member_tally_update AFTER UPDATE OF status, email_key ON member
WHEN OLD.status <> NEW.status OR OLD.email_key <> NEW.email_key BEGIN
    UPDATE member_tally SET free = free - (OLD.status = 'free') + (NEW.status = 'free'),
        paid = paid - (OLD.status = 'paid') + (NEW.status = 'paid'),
        comped = comped - (OLD.status = 'comped') + (NEW.status = 'comped'),
        blocked = blocked - EXISTS (SELECT 1 FROM block b WHERE b.site = OLD.site AND b.email_key = OLD.email_key)
                          + EXISTS (SELECT 1 FROM block b WHERE b.site = NEW.site AND b.email_key = NEW.email_key)
    WHERE site = NEW.site;
END;
CREATE TRIGGER block_tally_insert AFTER INSERT ON block
WHEN EXISTS (SELECT 1 FROM member m WHERE m.site = NEW.site AND m.email_key = NEW.email_key) BEGIN
    UPDATE member_tally SET blocked = blocked + 1 WHERE site = NEW.site;
END;
CREATE TRIGGER block_tally_delete AFTER DELETE ON block
WHEN EXISTS (SELECT 1 FROM member m WHERE m.site = OLD.site AND m.email_key = OLD.email_key) BEGIN
    UPDATE member_tally SET blocked = blocked - 1 WHERE site = OLD.site;
END;
CREATE TRIGGER block_tally_update AFTER UPDATE OF email_key ON block WHEN OLD.email_key <> NEW.email_key BEGIN
    UPDATE member_tally SET
        blocked = blocked - EXISTS (SELECT 1 FROM member m WHERE m.site = OLD.site AND m.email_key = OLD.email_key)
                          + EXISTS (SELECT 1 FROM member m WHERE m.site = NEW.site AND m.email_key = NEW.email_key)
    WHERE site = NEW.site;
END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('member', 'member_updated', '1000000 100000 2 1'),
    ('member', 'member_lapsed', '10000 1000 1 1'),
    ('entitlement', 'entitlement_bundle', '1000000 100000 5000 1'),
    ('watch', 'watch_video', '10000000 1000000 1000 1');
ANALYZE sqlite_schema;
