//! Reading under a tenant. A [`Reader`] is the only way to a tenant's rows: it carries the tenant, so
//! that no query takes it as a parameter.

use super::connection::AnyConnection;
use super::engine;
use super::error::{Error, Failure};
use crate::error::Error as CoreError;
use crate::ids::TenantId;
use diesel::QueryResult;
use diesel::connection::TransactionManager;

/// A connection that reads for one tenant. It exists only inside [`super::Store::read`] and
/// [`super::Store::write`].
pub struct Reader<'c> {
    connection: &'c mut AnyConnection,
    tenant_id: TenantId,
}

/// A resource of a tenant that is found by its identifier.
pub trait Resource: Sized {
    /// Its identifier.
    type Id: ?Sized;
    /// What people call it, as in "no such app".
    const NAME: &'static str;

    /// The tenant's resource with this identifier.
    fn find(reader: &mut Reader<'_>, id: &Self::Id) -> QueryResult<Option<Self>>;
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c mut AnyConnection, tenant_id: TenantId) -> Self {
        Self { connection, tenant_id }
    }

    /// The tenant whose rows may be touched.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant_id
    }

    /// The connection, and the tenant that every query of it names.
    pub fn parts(&mut self) -> (&mut AnyConnection, &TenantId) {
        (self.connection, &self.tenant_id)
    }

    /// The tenant's resource with this identifier. That of another tenant does not exist.
    #[track_caller]
    pub fn load<R: Resource>(&mut self, id: &R::Id) -> Result<R, CoreError> {
        match R::find(self, id) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(CoreError::NotFound(R::NAME)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Runs work that reads for a tenant.
pub(super) fn run<T, X: Failure>(
    connection: &mut AnyConnection,
    tenant_id: &TenantId,
    work: impl Fn(&mut Reader<'_>) -> Result<T, X>,
) -> Result<T, X> {
    type Manager = <AnyConnection as diesel::Connection>::TransactionManager;
    let begun = engine::begin_read(connection, tenant_id).map_err(Error::from)?;
    let outcome = work(&mut Reader::new(connection, tenant_id.clone()));
    if begun {
        // Nothing was written, so that there is nothing to lose; a connection whose transaction cannot
        // be ended counts as broken and leaves the pool.
        let _ = Manager::rollback_transaction(connection);
    }
    outcome
}
