-- Buckets of tokens that nodes share. Same model as the SQLite directory.
-- No tenant: most of those who are counted have not shown who they are. A key is a keyed hash.

CREATE TABLE limit_buckets (
    name TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    -- How many tokens the last lease has taken.
    granted BIGINT NOT NULL,
    -- When the bucket is full again, in microseconds since 1970 by the database's clock. The row says nothing then.
    full_at BIGINT NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE INDEX limit_buckets_by_end ON limit_buckets (full_at);
