-- A table of a product of the tests', filled from one that other roles see a part of.

CREATE TABLE notes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    text TEXT NOT NULL
);

INSERT INTO notes SELECT tenant_id, id FROM jobs;
