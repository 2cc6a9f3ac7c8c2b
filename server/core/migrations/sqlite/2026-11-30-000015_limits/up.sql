-- Buckets of tokens that nodes share. Same model as the PostgreSQL directory; a file has one node, which keeps its
-- buckets in memory, so that nothing is written here.

CREATE TABLE limit_buckets (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    granted BIGINT NOT NULL,
    full_at BIGINT NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE INDEX limit_buckets_by_end ON limit_buckets (full_at);
