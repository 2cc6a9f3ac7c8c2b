-- What users have allowed apps to do, and what follows from it: codes and families of
-- refresh tokens. Same model as the SQLite directory. Times are microseconds since 1970 by the database's
-- clock; lists are JSON arrays; secrets are keyed hashes.

-- One row an app and user: the scopes that the user has consented to.
CREATE TABLE grants (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, client_id)
);

-- The tokens that one code leads to. They end together.
CREATE TABLE token_families (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX token_families_by_user ON token_families (tenant_id, user_id, client_id) WHERE ended_at IS NULL;
CREATE INDEX token_families_by_expiry ON token_families (expires_at);

CREATE TABLE authorization_codes (
    code_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    family_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT NOT NULL,
    is_redirect_uri_needed BOOLEAN NOT NULL,
    code_challenge TEXT,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT
);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE refresh_tokens (
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    family_id TEXT COLLATE "C" NOT NULL,
    predecessor_hash TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT
);

CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- Authorization requests that a client has pushed (RFC 9126).
CREATE TABLE pushed_requests (
    request_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
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

-- What a function answers with cannot be changed. Who may call it is said anew with the wall, in this transaction.
DROP FUNCTION argus_find_client(TEXT);

CREATE FUNCTION argus_find_client(wanted TEXT)
    RETURNS TABLE (
        tenant_id TEXT, organization_id TEXT, grant_types TEXT, approved_scopes TEXT, secret_hash TEXT,
        former_secret_hash TEXT, token_endpoint_auth_method TEXT, is_suspended BOOLEAN
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT apps.tenant_id, apps.organization_id, apps.grant_types, apps.approved_scopes, apps.secret_hash,
        CASE WHEN apps.former_secret_until > argus_now() THEN apps.former_secret_hash END,
        apps.token_endpoint_auth_method, apps.is_suspended
    FROM apps WHERE apps.client_id = wanted;
END;
