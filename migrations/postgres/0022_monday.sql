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
    site          BIGINT NOT NULL PRIMARY KEY REFERENCES site (id),
    free          BIGINT NOT NULL,
    paid          BIGINT NOT NULL,
    comped        BIGINT NOT NULL,
    blocked       BIGINT NOT NULL
);
-- What is not folded yet.
CREATE TABLE member_tally_change (
    site          BIGINT NOT NULL,
    id            BIGINT GENERATED ALWAYS AS IDENTITY,
    free          BIGINT NOT NULL, -- so many more, or fewer
    paid          BIGINT NOT NULL,
    comped        BIGINT NOT NULL,
    keys          TEXT, -- JSON: addresses of which somebody became a member or ceased to be, or was blocked or unblocked
    PRIMARY KEY (site, id)
);
-- Addresses that are counted as blocked members in member_tally. Two transactions of which one blocks an address and the
-- other makes it a member's do not see each other: so neither counts, and whoever folds looks at the address anew.
CREATE TABLE member_blocked (
    site          BIGINT NOT NULL,
    key           TEXT COLLATE "C" NOT NULL, -- email_key of both
    PRIMARY KEY (site, key)
);
INSERT INTO member_blocked (site, key)
SELECT m.site, m.email_key FROM member m JOIN block b ON b.site = m.site AND b.email_key = m.email_key;
INSERT INTO member_tally (site, free, paid, comped, blocked)
SELECT m.site, count(*) FILTER (WHERE m.status = 'free'), count(*) FILTER (WHERE m.status = 'paid'),
       count(*) FILTER (WHERE m.status = 'comped'), (SELECT count(*) FROM member_blocked b WHERE b.site = m.site)
FROM member m GROUP BY m.site;
-- Free access that has ended, and whose end is not written down yet.
CREATE INDEX member_lapsed ON member (site, free_until, is_paid) WHERE status = 'comped' AND free_until IS NOT NULL;

CREATE FUNCTION member_tally_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    SELECT site, count(*) FILTER (WHERE status = 'free'), count(*) FILTER (WHERE status = 'paid'),
           count(*) FILTER (WHERE status = 'comped'), json_agg(email_key)::text
    FROM new_rows GROUP BY site;
    RETURN NULL;
END $$;
CREATE TRIGGER member_tally_insert AFTER INSERT ON member REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION member_tally_insert();

CREATE FUNCTION member_tally_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    SELECT site, -count(*) FILTER (WHERE status = 'free'), -count(*) FILTER (WHERE status = 'paid'),
           -count(*) FILTER (WHERE status = 'comped'), json_agg(email_key)::text
    FROM old_rows GROUP BY site;
    RETURN NULL;
END $$;
CREATE TRIGGER member_tally_delete AFTER DELETE ON member REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION member_tally_delete();

CREATE FUNCTION member_tally_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    VALUES (NEW.site,
            (NEW.status = 'free')::int - (OLD.status = 'free')::int,
            (NEW.status = 'paid')::int - (OLD.status = 'paid')::int,
            (NEW.status = 'comped')::int - (OLD.status = 'comped')::int,
            CASE WHEN NEW.email_key <> OLD.email_key THEN json_build_array(OLD.email_key, NEW.email_key)::text END);
    RETURN NULL;
END $$;
CREATE TRIGGER member_tally_update AFTER UPDATE OF status, email_key ON member FOR EACH ROW
WHEN (OLD.status <> NEW.status OR OLD.email_key <> NEW.email_key) EXECUTE FUNCTION member_tally_update();

CREATE FUNCTION block_tally_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    SELECT site, 0, 0, 0, json_agg(email_key)::text FROM new_rows GROUP BY site;
    RETURN NULL;
END $$;
CREATE TRIGGER block_tally_insert AFTER INSERT ON block REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION block_tally_insert();

CREATE FUNCTION block_tally_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    SELECT site, 0, 0, 0, json_agg(email_key)::text FROM old_rows GROUP BY site;
    RETURN NULL;
END $$;
CREATE TRIGGER block_tally_delete AFTER DELETE ON block REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION block_tally_delete();

CREATE FUNCTION block_tally_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO member_tally_change (site, free, paid, comped, keys)
    VALUES (NEW.site, 0, 0, 0, json_build_array(OLD.email_key, NEW.email_key)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER block_tally_update AFTER UPDATE OF email_key ON block FOR EACH ROW
WHEN (OLD.email_key <> NEW.email_key) EXECUTE FUNCTION block_tally_update();
