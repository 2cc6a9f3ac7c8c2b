-- Profiles and uploads. Same model as the PostgreSQL directory. Times are microseconds since 1970; lists are JSON
-- arrays.

CREATE TABLE profiles (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    display_name TEXT NOT NULL,
    secrecy_level TEXT NOT NULL,
    risk_score INTEGER NOT NULL,
    relations TEXT NOT NULL,
    findings TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Uploads that were offered. The bytes lie in the store of objects.
CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX uploads_by_time ON uploads (created_at);
