-- From now on policies are made from what the code says of its tables, for the roles that the URLs name, after the
-- migrations. These were for every role, and let any session in that set `argus.every_tenant`. All that depends on the
-- function are policies.

DROP FUNCTION argus_may_touch(TEXT) CASCADE;

-- The oldest tenant with its first organisation. Commands ask for it before they know any tenant. Its body is bound to
-- the tables when it is made, so that nobody's search path leads it elsewhere.

CREATE FUNCTION argus_first_tenant() RETURNS TABLE (tenant_id TEXT, organization_id TEXT)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT tenants.tenant_id, organizations.organization_id
    FROM tenants JOIN organizations ON organizations.tenant_id = tenants.tenant_id
    ORDER BY tenants.created_at, tenants.tenant_id, organizations.created_at, organizations.organization_id LIMIT 1;
END;
