-- Registered apps. Same model as the SQLite directory. Stores of the first version have the table already.

CREATE TABLE IF NOT EXISTS apps (
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

CREATE INDEX IF NOT EXISTS apps_by_tenant ON apps (tenant_id, created_at DESC, client_id DESC);
