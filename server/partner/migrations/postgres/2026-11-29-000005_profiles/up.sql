-- Profiles and uploads. Same model as the SQLite directory. Times are microseconds since 1970 by the database's
-- clock; lists are JSON arrays.

CREATE TABLE profiles (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    display_name TEXT NOT NULL,
    secrecy_level TEXT COLLATE "C" NOT NULL,
    risk_score INTEGER NOT NULL,
    relations TEXT NOT NULL,
    findings TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE profiles FORCE ROW LEVEL SECURITY;
CREATE POLICY profiles_of_tenant ON profiles USING (argus_may_touch(tenant_id));

-- Uploads that were offered. The bytes lie in the store of objects.
CREATE TABLE uploads (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX uploads_by_time ON uploads (created_at);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY uploads_of_tenant ON uploads USING (argus_may_touch(tenant_id));
