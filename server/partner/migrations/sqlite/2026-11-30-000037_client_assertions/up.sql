-- Apps that authenticate with what they sign. Same model as the PostgreSQL directory.

-- A JSON array of public keys (RFC 7517), where the app authenticates with them.
ALTER TABLE apps ADD COLUMN jwks TEXT;

-- Assertions that were used, as keyed hashes of the app and the `jti`. When they expire is microseconds since 1970.
CREATE TABLE client_assertions (
    assertion_hash TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);
