//! What PostgreSQL's catalog says of the tables, policies and privileges of the schema that a session works in.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel::{PgConnection, QueryResult};

/// Whoever connects.
pub(super) const PUBLIC: &str = "public";

/// A table that there is.
#[derive(QueryableByName)]
pub(super) struct TableRow {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Text)]
    pub(super) owner: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_enabled: bool,
    #[diesel(sql_type = Bool)]
    pub(super) is_forced: bool,
    #[diesel(sql_type = Bool)]
    pub(super) has_tenant: bool,
}

/// The tables of the schema.
pub(super) fn tables(connection: &mut PgConnection) -> QueryResult<Vec<TableRow>> {
    diesel::sql_query(
        "SELECT relname::text AS name, pg_get_userbyid(relowner)::text AS owner, relrowsecurity AS is_enabled, \
         relforcerowsecurity AS is_forced, EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid \
         AND attname = 'tenant_id' AND NOT attisdropped) AS has_tenant \
         FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(quote_ident(current_schema()))",
    )
    .load(connection)
}

/// A policy, as the catalog writes it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub(super) struct Policy {
    #[diesel(sql_type = Text)]
    pub(super) table_name: String,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// `ALL` or the name of a command.
    #[diesel(sql_type = Text)]
    pub(super) command: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_permissive: bool,
    #[diesel(sql_type = Array<Text>)]
    pub(super) roles: Vec<String>,
    /// Which rows are seen.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) using: Option<String>,
    /// Which rows may be written.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) check: Option<String>,
}

/// The policies of the schema.
pub(super) fn policies(connection: &mut PgConnection) -> QueryResult<Vec<Policy>> {
    diesel::sql_query(
        "SELECT tablename::text AS table_name, policyname::text AS name, cmd AS command, \
         permissive = 'PERMISSIVE' AS is_permissive, roles::text[] AS roles, qual AS using, with_check AS check \
         FROM pg_policies WHERE schemaname = current_schema() ORDER BY 1, 2",
    )
    .load(connection)
}

/// What somebody who is not the owner may do with a table.
#[derive(Debug, PartialEq, Eq, QueryableByName)]
pub(super) struct Grant {
    #[diesel(sql_type = Text)]
    pub(super) table_name: String,
    #[diesel(sql_type = Text)]
    pub(super) role: String,
    #[diesel(sql_type = Text)]
    pub(super) privilege: String,
}

/// The privileges in the schema; one on a column names it, as in `UPDATE (hash)`.
pub(super) fn grants(connection: &mut PgConnection) -> QueryResult<Vec<Grant>> {
    diesel::sql_query(
        "SELECT relname::text AS table_name, privilege, \
         CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee)::text END AS role \
         FROM pg_class CROSS JOIN LATERAL ( \
             SELECT grantee, privilege_type AS privilege FROM aclexplode(relacl) \
             UNION ALL SELECT grantee, format('%s (%s)', privilege_type, attname) \
             FROM pg_attribute CROSS JOIN aclexplode(attacl) WHERE attrelid = pg_class.oid AND NOT attisdropped \
         ) AS granted WHERE relkind IN ('r', 'p') AND grantee <> relowner \
         AND relnamespace = to_regnamespace(quote_ident(current_schema()))",
    )
    .load(connection)
}

#[derive(QueryableByName)]
struct Names {
    #[diesel(sql_type = Array<Text>)]
    names: Vec<String>,
}

/// Who but its owner may call a function.
pub(super) fn callers(connection: &mut PgConnection, function: &str) -> QueryResult<Vec<String>> {
    let Names { names } = diesel::sql_query(
        "SELECT coalesce(array_agg(CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee)::text END), '{}') \
         AS names FROM pg_proc CROSS JOIN aclexplode(coalesce(proacl, acldefault('f', proowner))) \
         WHERE pg_proc.oid = to_regprocedure($1) AND grantee <> proowner",
    )
    .bind::<Text, _>(function)
    .get_result(connection)?;
    Ok(names)
}

#[derive(QueryableByName)]
struct SchemaRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    may_use: bool,
}

/// The schema, and whether a role may use what is in it.
pub(super) fn schema(connection: &mut PgConnection, role: &str) -> QueryResult<(String, bool)> {
    let row: SchemaRow = diesel::sql_query(
        "SELECT current_schema()::text AS name, has_schema_privilege($1, current_schema(), 'USAGE') AS may_use",
    )
    .bind::<Text, _>(role)
    .get_result(connection)?;
    Ok((row.name, row.may_use))
}
