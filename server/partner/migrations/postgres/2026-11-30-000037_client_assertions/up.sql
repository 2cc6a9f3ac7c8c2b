-- Apps that authenticate with what they sign. Same model as the SQLite directory.

-- A JSON array of public keys (RFC 7517), where the app authenticates with them.
ALTER TABLE apps ADD COLUMN jwks TEXT;

-- Assertions that were used, as keyed hashes of the app and the `jti`. When they expire is microseconds since 1970.
CREATE TABLE client_assertions (
    assertion_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

-- What a function answers with cannot be changed. Who may call it is said anew with the wall, in this transaction.
DROP FUNCTION argus_find_client(TEXT);

CREATE FUNCTION argus_find_client(wanted TEXT)
    RETURNS TABLE (
        tenant_id TEXT, organization_id TEXT, grant_types TEXT, approved_scopes TEXT, secret_hash TEXT,
        former_secret_hash TEXT, token_endpoint_auth_method TEXT, is_suspended BOOLEAN, jwks TEXT
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT apps.tenant_id, apps.organization_id, apps.grant_types, apps.approved_scopes, apps.secret_hash,
        CASE WHEN apps.former_secret_until > argus_now() THEN apps.former_secret_hash END,
        apps.token_endpoint_auth_method, apps.is_suspended, apps.jwks
    FROM apps WHERE apps.client_id = wanted;
END;
