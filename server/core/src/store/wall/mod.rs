//! The second wall between tenants, on PostgreSQL: what each role may do with each table, by row-level security and
//! privileges. The first one is that every query names its tenant.
//!
//! Three roles: the **owner** of the tables migrates and does nothing else; **requests** see the tenant that their
//! transaction names; the **worker** sees every tenant, in the tables and by the commands of the machinery alone. What
//! is behind the wall is declared by whoever has the table ([`Table`]); policies, grants and checks follow from it.
//!
//! The owner has a policy of its own that lets it see everything: migrations change the rows of all tenants, and the
//! functions that look up whose call it is run as the owner. Policies are forced nevertheless, so that this is said in
//! the catalog, and a table without any policy shows nothing to anybody. The wall is that no service is the owner.
//!
//! - [`plan`]: what is to be done until the database is as the code says
//! - [`catalog`]: what the database says
//! - [`roles`]: who may be which role

mod catalog;
mod plan;
mod roles;

pub(super) use plan::{OWNER_IN, plan};
pub(super) use roles::{Role, Roles};

/// A table, and what may be done with it.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Whether its rows are a tenant's, named in its column `tenant_id`.
    pub has_tenant: bool,
    /// What requests do, and work on jobs, under their tenant.
    pub requests: &'static [Command],
    /// What the machinery does for every tenant.
    pub worker: &'static [Command],
}

impl Table {
    /// A table whose rows are tenants', each in its column `tenant_id`.
    pub const fn of_tenants(
        name: &'static str,
        requests: &'static [Command],
        worker: &'static [Command],
    ) -> Self {
        Self { name, has_tenant: true, requests, worker }
    }

    /// A table of no tenant, for the machinery.
    pub const fn of_machinery(name: &'static str, worker: &'static [Command]) -> Self {
        Self { name, has_tenant: false, requests: &[], worker }
    }

    /// A table of no tenant, for requests.
    pub const fn shared(name: &'static str, requests: &'static [Command]) -> Self {
        Self { name, has_tenant: false, requests, worker: &[] }
    }
}

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// They are read.
    Select,
    /// They are written.
    Insert,
    /// They are changed.
    Update,
    /// They are changed in these columns alone.
    UpdateOf(&'static [&'static str]),
    /// They are removed.
    Delete,
}

impl Command {
    /// Everything.
    pub const ALL: [Self; 4] = [Self::Select, Self::Insert, Self::Update, Self::Delete];

    /// Its name in SQL.
    const fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update | Self::UpdateOf(_) => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// What it takes, as the catalog names it: a privilege on the table, or one on each column.
    fn privileges(self) -> Vec<String> {
        match self {
            Self::UpdateOf(columns) => columns.iter().map(|column| format!("UPDATE ({column})")).collect(),
            _ => vec![self.name().to_owned()],
        }
    }

    /// How it is granted.
    fn grant(self) -> String {
        match self {
            Self::UpdateOf(columns) => format!("UPDATE ({})", columns.join(", ")),
            _ => self.name().to_owned(),
        }
    }
}
