-- What users have allowed apps to do, and what follows from it: codes and families of
-- refresh tokens. Same model as the PostgreSQL directory. Times are microseconds since 1970 by the database's
-- clock; lists are JSON arrays; secrets are keyed hashes.

-- One row an app and user: the scopes that the user has consented to.
CREATE TABLE grants (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, client_id)
);

-- The tokens that one code leads to. They end together.
CREATE TABLE token_families (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX token_families_by_user ON token_families (tenant_id, user_id, client_id) WHERE ended_at IS NULL;
CREATE INDEX token_families_by_expiry ON token_families (expires_at);

CREATE TABLE authorization_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    family_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    is_redirect_uri_needed BOOLEAN NOT NULL,
    code_challenge TEXT,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT
);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    family_id TEXT NOT NULL,
    predecessor_hash TEXT,
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT
);

CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- Authorization requests that a client has pushed (RFC 9126).
CREATE TABLE pushed_requests (
    request_hash TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    open_until BIGINT,
    spent_at BIGINT
);

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- How an app authenticates at the token endpoint (RFC 7591, section 2).
ALTER TABLE apps ADD COLUMN token_endpoint_auth_method TEXT NOT NULL DEFAULT 'client_secret_basic';

-- Whether an administrator has stopped an app, and until when its tokens count no more.
ALTER TABLE apps ADD COLUMN is_suspended BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE apps ADD COLUMN tokens_not_before BIGINT;
