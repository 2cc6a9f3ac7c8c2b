-- Jobs and the outbox. Same model as the SQLite directory.
-- Times of these tables are microseconds since 1970 by the database's clock: it alone decides what is due and
-- whose lease has ended, whatever the clocks of the nodes say.

CREATE FUNCTION argus_now() RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (extract(epoch FROM statement_timestamp()) * 1000000)::BIGINT;

-- Whether the session may touch this tenant's rows: it named that tenant, or it is the machinery's own, which
-- serves every tenant. A setting that a transaction has left behind reads as an empty text.
CREATE FUNCTION argus_may_touch(tenant_id TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE
    RETURN tenant_id = current_setting('argus.tenant_id', true)
        OR current_setting('argus.every_tenant', true) = 'on';

-- Without a foreign key: it would lock the organisation's row for each job, which all jobs of a tenant share.
CREATE TABLE jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    payload TEXT NOT NULL,
    secrecy_level TEXT COLLATE "C" NOT NULL,
    callback_url TEXT,
    idempotency_key TEXT COLLATE "C",
    traceparent TEXT NOT NULL,
    tracestate TEXT,
    status TEXT COLLATE "C" NOT NULL,
    progress_pct INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    -- When a queued job may start; null when at once.
    due_at BIGINT,
    -- The attempt that has the job, and until when: null unless it runs.
    lease BIGINT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    completed_at BIGINT,
    error_code TEXT,
    error_message TEXT,
    result_key TEXT,
    result_length BIGINT,
    result_sha256 TEXT,
    -- When the objects of an ended job are to be looked at: leftovers, and results whose time is over.
    cleanup_at BIGINT
);

CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_with_key ON jobs (created_at) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_by_tenant ON jobs (tenant_id, created_at, id);
CREATE INDEX jobs_to_claim ON jobs (tenant_id, created_at, id) WHERE status = 'queued' AND due_at IS NULL;
CREATE INDEX jobs_to_wait_for ON jobs (due_at) WHERE status = 'queued' AND due_at IS NOT NULL;
CREATE INDEX jobs_on_lease ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_to_clean_up ON jobs (cleanup_at) WHERE cleanup_at IS NOT NULL;

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY jobs_of_tenant ON jobs USING (argus_may_touch(tenant_id));

-- What has happened and is to be told. Written by the statement that makes it happen.
CREATE TABLE outbox (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    traceparent TEXT NOT NULL,
    tracestate TEXT,
    occurred_at BIGINT NOT NULL
);

CREATE INDEX outbox_by_time ON outbox (occurred_at);

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_of_tenant ON outbox USING (argus_may_touch(tenant_id));
