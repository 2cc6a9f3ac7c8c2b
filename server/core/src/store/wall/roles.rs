//! Who may be which role. A role whom policies do not bind, or who could become the owner, is behind no wall.

use super::{Command, Table};
use crate::store::error::OpenError;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{PgConnection, QueryResult};

/// The roles that policies are made for. One that is not named has none yet, or needs none.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Roles {
    /// Serves requests and works on jobs, under one tenant at a time.
    pub(in crate::store) requests: Option<String>,
    /// Does the machinery's work for every tenant.
    pub(in crate::store) worker: Option<String>,
}

impl Roles {
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().chain(&self.worker).map(|role| &**role)
    }

    /// Each role that is named, with what it does with a table.
    pub(super) fn with_commands(&self, table: &Table) -> impl Iterator<Item = (&str, &'static [Command])> {
        let requests = self.requests.as_deref().map(|role| (role, table.requests));
        requests.into_iter().chain(self.worker.as_deref().map(|role| (role, table.worker)))
    }
}

/// A role of the server, and what it could do beside what is granted.
#[derive(Clone, Debug, QueryableByName)]
pub(in crate::store) struct Role {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub(in crate::store) name: String,
    /// Whether it is a superuser, or can become one.
    #[diesel(sql_type = Bool)]
    pub(in crate::store) is_superuser: bool,
    #[diesel(sql_type = Bool)]
    bypasses: bool,
    #[diesel(sql_type = Bool)]
    makes_roles: bool,
    /// A table that it owns, or can come to own.
    #[diesel(sql_type = Nullable<Text>)]
    owned: Option<String>,
    /// Another role that it can become, and that policies let in.
    #[diesel(sql_type = Nullable<Text>)]
    stands_in_for: Option<String>,
    /// Whether it is the session's role, or can become it.
    #[diesel(sql_type = Bool)]
    is_own: bool,
}

/// In whatever schema the tables are: a role that may not use theirs yet may own them nevertheless.
const FIND: &str = "SELECT rolname::text AS name, rolcreaterole AS makes_roles, \
    EXISTS (SELECT FROM pg_roles AS other WHERE other.rolsuper AND pg_has_role(role.oid, other.oid, 'MEMBER')) AS is_superuser, \
    EXISTS (SELECT FROM pg_roles AS other WHERE other.rolbypassrls AND pg_has_role(role.oid, other.oid, 'MEMBER')) AS bypasses, \
    pg_has_role(role.oid, (SELECT oid FROM pg_roles WHERE rolname = session_user), 'MEMBER') AS is_own, \
    (SELECT min(relname::text) FROM pg_class WHERE relkind IN ('r', 'p') AND pg_has_role(role.oid, relowner, 'MEMBER') \
        AND relnamespace IN (SELECT relnamespace FROM pg_class WHERE relname = '__diesel_schema_migrations')) AS owned, \
    (SELECT min(other::text) FROM pg_policies CROSS JOIN unnest(roles) AS other WHERE schemaname = current_schema() \
        AND CASE WHEN other IN ('public', rolname) THEN false ELSE pg_has_role(role.oid, other, 'MEMBER') END) \
        AS stands_in_for \
    FROM pg_roles AS role WHERE rolname = ";

impl Role {
    /// The role that a session has logged in as, whatever it has become since.
    pub(in crate::store) fn of_session(connection: &mut PgConnection) -> QueryResult<Self> {
        diesel::sql_query(format!("{FIND}session_user")).get_result(connection)
    }

    /// The role with this name.
    pub(in crate::store) fn named(connection: &mut PgConnection, name: &str) -> Result<Self, OpenError> {
        let found = diesel::sql_query(format!("{FIND}$1")).bind::<Text, _>(name).get_result(connection);
        found
            .optional()?
            .ok_or_else(|| OpenError::Role { role: name.to_owned(), fault: "does not exist".to_owned() })
    }

    /// Whether no policy binds it.
    pub(in crate::store) fn is_unbound(&self) -> bool {
        self.is_superuser || self.bypasses
    }

    /// Whether it is the role of the session that asks, or can become it.
    pub(in crate::store) fn is_of_session(&self) -> bool {
        self.is_own
    }

    /// Refuses a role that the wall does not hold.
    pub(in crate::store) fn require_bound(&self) -> Result<(), OpenError> {
        let fault = if self.is_superuser {
            "is a superuser, whom row-level security does not bind".to_owned()
        } else if self.bypasses {
            "may bypass row-level security (BYPASSRLS)".to_owned()
        } else if let Some(table) = &self.owned {
            format!("is or can become the owner of the table `{table}`, who may see every tenant's rows")
        } else if let Some(other) = &self.stands_in_for {
            format!("can become the role `{other}`, whom policies let see more")
        } else if self.makes_roles {
            "may make roles (CREATEROLE), and so become the owner".to_owned()
        } else {
            return Ok(());
        };
        Err(OpenError::Role { role: self.name.clone(), fault })
    }
}
