-- What the token endpoint needs to know of an app before it knows whose it is. Its body is bound to the table when it
-- is made, so that nobody's search path leads it elsewhere.

CREATE FUNCTION argus_find_client(wanted TEXT)
    RETURNS TABLE (tenant_id TEXT, organization_id TEXT, grant_types TEXT, approved_scopes TEXT, secret_hash TEXT)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT apps.tenant_id, apps.organization_id, apps.grant_types, apps.approved_scopes, apps.secret_hash
    FROM apps WHERE apps.client_id = wanted;
END;
