-- Members that were changed since a time.
CREATE INDEX member_updated ON member (site, updated_at, id);

-- What the caller of a refused or failed call was told.
ALTER TABLE activity ADD COLUMN error TEXT;
-- The calls that were not done, however many were.
CREATE INDEX activity_trouble ON activity (site, id) WHERE status <> 'ok';

