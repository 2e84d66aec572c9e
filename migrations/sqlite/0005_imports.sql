-- Rows of a running import that were refused only when they were to be written. At its end they go to the error file.

CREATE TABLE import_refusal (
    site          INTEGER NOT NULL,
    job_id        TEXT NOT NULL,
    row_number    INTEGER NOT NULL, -- which row of data in the file, from 0
    code          TEXT NOT NULL,
    PRIMARY KEY (site, job_id, row_number),
    FOREIGN KEY (site, job_id) REFERENCES job (site, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
