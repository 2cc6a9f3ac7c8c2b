-- People who sign in, the browsers that they are signed in with, and invitations to choose a password. Same model as the
-- PostgreSQL directory. Times are microseconds since 1970.

CREATE TABLE users (
    user_id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    -- Case-folded. An address names one person of the whole installation.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- An argon2id hash as a PHC string; null until an invitation is accepted.
    password_hash TEXT,
    secrecy_level TEXT NOT NULL,
    -- JSON array; null for every partner scope.
    scopes TEXT,
    disabled_at BIGINT,
    password_changed_at BIGINT,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE INDEX users_by_tenant ON users (tenant_id, email);

CREATE TABLE sessions (
    -- Keyed hash of the token that the browser has.
    session_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    opened_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    -- Moves on while the session is used.
    expires_at BIGINT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT
);

CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE invitations (
    -- Keyed hash of the token in the link.
    invitation_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    expires_at BIGINT NOT NULL
);

CREATE INDEX invitations_by_user ON invitations (user_id);
CREATE INDEX invitations_by_end ON invitations (expires_at);
