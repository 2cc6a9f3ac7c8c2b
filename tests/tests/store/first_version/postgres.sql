-- Identity: tenants, organisations, apps and the audit trail.
-- Times are UTC with microseconds; lists are JSON arrays. Same model as the SQLite directory.
-- Identifiers sort bytewise (COLLATE "C"), as they do in SQLite, whatever the database's locale.

CREATE TABLE installation (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenants (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE organizations (
    organization_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (tenant_id, organization_id)
);

CREATE TABLE apps (
    client_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
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
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    occurred_at TIMESTAMP NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    secrecy_level TEXT NOT NULL
);

CREATE INDEX audit_events_by_tenant ON audit_events (tenant_id, occurred_at, id);

CREATE FUNCTION audit_events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END;
$$;

CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse_change();
