-- Rows of a running import that were refused only when they were to be written. At its end they go to the error file.

CREATE TABLE import_refusal (
    site          BIGINT  NOT NULL,
    job_id        TEXT    COLLATE "C" NOT NULL,
    row_number    BIGINT  NOT NULL,          -- which row of data in the file, from 0
    code          TEXT    NOT NULL,
    PRIMARY KEY (site, job_id, row_number),
    FOREIGN KEY (site, job_id) REFERENCES job (site, id) ON DELETE CASCADE
);
