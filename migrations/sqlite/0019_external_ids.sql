-- What an integrator keeps with a member: an id of its own, unique in the site, and texts by key (a JSON object).
ALTER TABLE member ADD COLUMN external_id TEXT;
ALTER TABLE member ADD COLUMN metadata TEXT;
CREATE UNIQUE INDEX member_external_id ON member (site, external_id) WHERE external_id IS NOT NULL;
