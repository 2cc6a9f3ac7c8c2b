-- How often what an entry records has happened: some things are recorded in aggregate.

ALTER TABLE audit_events ADD COLUMN occurrences BIGINT NOT NULL DEFAULT 1;
