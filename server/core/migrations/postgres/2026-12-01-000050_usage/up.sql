-- How often live operations were called, and how often they may be. Same model as the SQLite directory.

-- What was counted and not added up yet. Rows are only ever appended and taken away, so that no two calls of a tenant
-- wait for the same row: a call that writes appends its own in its transaction, a node appends its reads in batches.
CREATE TABLE usage_increments (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- Client id of the app, or the operator's own name.
    actor TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    -- The day in UTC, as in 2026-12-01.
    day TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL
);

CREATE INDEX usage_increments_by_tenant ON usage_increments (tenant_id);

-- What was added up.
CREATE TABLE usage_by_day (
    tenant_id TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, actor, operation)
);

-- The last batch of reads that each node has written, so that one that is sent twice counts once.
CREATE TABLE usage_batches (
    node TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL,
    -- Microseconds since 1970 by the database's clock.
    written_at BIGINT NOT NULL
);

-- How many calls a tenant may make, or one of its apps.
CREATE TABLE quotas (
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- Client id of the app; empty for the tenant as a whole.
    actor TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    -- `day` or `month`, in UTC.
    period TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, actor)
);
