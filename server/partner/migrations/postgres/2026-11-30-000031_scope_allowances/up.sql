-- Which scopes the apps of a tenant get when they ask for them, where an operator has said so; and what an app asked for
-- beyond, until an administrator approves it. Same model as the SQLite directory. Lists are JSON arrays.

CREATE TABLE scope_allowances (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants (tenant_id),
    scopes TEXT NOT NULL
);

ALTER TABLE apps ADD COLUMN pending_scopes TEXT NOT NULL DEFAULT '[]';
