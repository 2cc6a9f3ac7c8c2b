-- Subscriptions, what is delivered to them and to the callbacks of jobs, and the secrets that sign it. Same model as
-- the PostgreSQL directory. Times are microseconds since 1970.

-- What an event tells; null where it is read from its subject, which does not change any more.
ALTER TABLE outbox ADD COLUMN data TEXT;
ALTER TABLE outbox ADD COLUMN secrecy_level TEXT;
-- What kept deliveries from being made of it: it then waits for an operator, and nothing waits for it.
ALTER TABLE outbox ADD COLUMN fault TEXT;
CREATE INDEX outbox_to_tell ON outbox (sequence) WHERE fault IS NULL;

CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    -- Clearance of whoever subscribed: events above it are not told.
    secrecy_level TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    status TEXT NOT NULL,
    disabled_reason TEXT,
    -- Since when every attempt has failed; null after one that succeeded.
    failing_since BIGINT,
    -- When it was deleted: its deliveries go first, a little at a time, and the row with the last of them.
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, created_at, id);
CREATE INDEX webhooks_to_remove ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL;

-- Of a subscription or of an app, whose callbacks it signs. Sealed: see argus_core::envelope.
CREATE TABLE signing_secrets (
    owner TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    secret TEXT NOT NULL,
    former_secret TEXT,
    former_until BIGINT,
    PRIMARY KEY (tenant_id, owner)
);

CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    -- Null for the callback of a job, which has a URL of its own.
    webhook_id TEXT,
    callback_url TEXT,
    -- Whose secret signs.
    signer TEXT NOT NULL,
    -- Deliveries to one receiver, which must not delay those to others.
    lane TEXT NOT NULL,
    -- Null for a test and for a callback.
    event TEXT,
    job_id TEXT,
    body TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    tracestate TEXT,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- A JSON document a line: the attempts, oldest first.
    history TEXT NOT NULL DEFAULT '',
    -- JSON: the headers of the last attempt.
    sent TEXT,
    -- When the next attempt is due; null when at once.
    due_at BIGINT,
    -- After when there is no further attempt.
    give_up_at BIGINT NOT NULL,
    -- The attempt that has the delivery, and until when: null unless one is on its way.
    lease BIGINT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    attempted_at BIGINT
);

CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at, id) WHERE webhook_id IS NOT NULL;
CREATE INDEX deliveries_to_claim ON deliveries (lane, created_at, id)
    WHERE status = 'queued' AND due_at IS NULL AND lease IS NULL;
CREATE INDEX deliveries_to_wait_for ON deliveries (due_at) WHERE status = 'queued' AND due_at IS NOT NULL;
CREATE INDEX deliveries_on_lease ON deliveries (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX deliveries_by_time ON deliveries (created_at);
