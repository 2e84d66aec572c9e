-- The words of a member's name and address as people search for them: folded, the leading blank before each. Null: a member
-- of an older program; the next start fills it in (src/areas/members/store/fill.rs), and name_key as well, which is folded
-- from then on. Whoever changes how texts are folded empties member_word and sets words to null in a migration.
ALTER TABLE member ADD COLUMN words TEXT COLLATE "C";
CREATE INDEX member_wordless ON member (site, id) WHERE words IS NULL;

-- The same one by one, to find the members of the beginning of a word. No foreign key: a member's rows are deleted with
-- the member by who deletes that, as there is no index by member.
CREATE TABLE member_word (
    site          BIGINT NOT NULL,
    begins        SMALLINT NOT NULL, -- 1: the address begins with it, 2: the name does, 3: both, 0: neither; 4: a later part of a word
    word          TEXT COLLATE "C" NOT NULL,
    member_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, begins, word, member_id)
);
