-- The client secret before the present one, which may count beside it for a while. Same model as the SQLite directory.
-- Until when is microseconds since 1970 by the database's clock, which alone decides.

ALTER TABLE apps ADD COLUMN former_secret_hash TEXT;
ALTER TABLE apps ADD COLUMN former_secret_until BIGINT;

-- What a function answers with cannot be changed. Who may call it is said anew with the wall, in this transaction.
DROP FUNCTION argus_find_client(TEXT);

CREATE FUNCTION argus_find_client(wanted TEXT)
    RETURNS TABLE (
        tenant_id TEXT, organization_id TEXT, grant_types TEXT, approved_scopes TEXT, secret_hash TEXT,
        former_secret_hash TEXT
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT apps.tenant_id, apps.organization_id, apps.grant_types, apps.approved_scopes, apps.secret_hash,
        CASE WHEN apps.former_secret_until > argus_now() THEN apps.former_secret_hash END
    FROM apps WHERE apps.client_id = wanted;
END;
