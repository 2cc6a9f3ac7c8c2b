-- Identity: tenants, organisations, apps and the audit trail.
-- Times are UTC with microseconds; lists are JSON arrays. Same model as the PostgreSQL directory.

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenants (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE organizations (
    organization_id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (tenant_id, organization_id)
);

CREATE TABLE apps (
    client_id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    approved_scopes TEXT NOT NULL,
    allow_service_tokens BOOLEAN NOT NULL,
    enforce_pkce BOOLEAN NOT NULL,
    secret_hash TEXT NOT NULL,
    secret_rotated_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE INDEX apps_by_tenant ON apps (tenant_id, created_at DESC, client_id DESC);

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    occurred_at TIMESTAMP NOT NULL,
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    secrecy_level TEXT NOT NULL
);

CREATE INDEX audit_events_by_tenant ON audit_events (tenant_id, occurred_at, id);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;
