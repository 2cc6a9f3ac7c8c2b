-- What the access tokens name that were issued until a moment and count no more: a family, a token, a user or an app.
-- Same model as the SQLite directory. Times are microseconds since 1970 by the database's clock.

CREATE TABLE revocations (
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    not_before BIGINT NOT NULL
);

CREATE INDEX revocations_by_time ON revocations (not_before);
