//! The database: reading and writing under a [`Context`], on SQLite or PostgreSQL.
//!
//! Queries block, so they run on tokio's blocking pool. A tenant's rows are reached through a [`Reader`]
//! or a [`Tx`] alone, which carry the tenant. Rules of a domain do not live here, nor do a product's
//! tables.

mod admission;
mod backfill;
mod check;
mod connection;
mod engine;
mod error;
mod every_tenant;
mod in_place;
mod installation;
mod lane;
mod listener;
mod location;
mod manager;
mod migrations;
mod postgres_url;
mod reader;
pub mod schema;
mod settings;
mod socket;
pub mod statement;
mod together;
mod transaction;
mod wall;

pub use backfill::Backfill;
pub use connection::AnyConnection;
pub use error::{Error, Failure, Kind, OpenError};
pub use every_tenant::EveryTenant;
pub use listener::{Listener, Notification, Notifications};
pub use migrations::{Migrated, Migrations};
pub use reader::{Reader, Resource};
pub use settings::{Connections, DatabaseUrl, Deadlines, StoreSettings};
pub use together::{Submission, Together};
pub use transaction::Tx;
pub use wall::{Command, Table};

use crate::context::{Context, Environment};
use crate::ids::TenantId;
use crate::usage::MeteredCall;
use check::Expected;
use engine::{Use, sqlite};
use in_place::InPlace;
use lane::Lane;
use location::Location;
use manager::Manager;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use transaction::again_after_conflicts;

/// SQLite has one writer at a time: a second one would only wait inside of SQLite instead of here.
const SQLITE_WRITERS: u32 = 1;
/// How long another writer may be in the way of a look at the database.
const WATCH_PATIENCE: Duration = Duration::from_secs(1);
/// How many rows there are in less time than the way to another thread and back takes.
const FEW: usize = 8;
/// How much of the machinery's work can go on at a time on PostgreSQL.
const EVERY_TENANT: u32 = 3;

/// What a database keeps although nobody needs it any more. It slows claims down; an old transaction is what mostly
/// keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uncleaned {
    /// Rows of jobs that were replaced, on PostgreSQL.
    pub dead_rows: u64,
    /// Bytes of the write-ahead log, on SQLite.
    pub log_bytes: u64,
}

/// One database, with a [`Store`] for each kind of work.
#[derive(Clone)]
pub struct Database {
    /// For requests.
    pub requests: Store,
    /// For the workers of jobs.
    pub workers: Store,
    /// For deliveries, which are those of every tenant.
    pub deliveries: EveryTenant,
    /// For the machinery.
    pub every_tenant: EveryTenant,
    /// For what others notify; on PostgreSQL alone.
    pub listener: Option<Listener>,
    /// For limits that nodes share, a connection of its own: a flood of failures must not keep the machinery from
    /// its work. On PostgreSQL alone.
    pub limits: Option<EveryTenant>,
    /// A connection to look at the database with, whatever the others are busy with.
    watch: Lane,
    expected: Arc<Expected>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("requests", &self.requests).finish_non_exhaustive()
    }
}

/// The database as one kind of work uses it. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    location: Location,
    writers: Lane,
    readers: Lane,
    /// For reads on the thread that asks; on SQLite alone.
    in_place: Option<Arc<InPlace>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("readers", &self.readers.connections()).finish()
    }
}

impl Database {
    /// Opens the database. A file is created if need be, and its schema brought up to date: the core's and
    /// that of these products. A server's must be, unless a superuser asks. Blocks.
    pub fn open(settings: &StoreSettings, products: &[&Migrations]) -> Result<Self, OpenError> {
        let location = Location::parse(settings.url.expose())?;
        let worker = admission::open(&location, settings, products)?;
        let lane_at = |location: &Location, purpose, connections| {
            Lane::new(Manager::new(location.clone(), purpose, settings.deadlines), connections)
        };
        let lane = |purpose, connections| lane_at(&location, purpose, connections);
        let single = || lane(Use::Write, 1);
        // All kinds of work share the writer of a file, and the connection for reads in place.
        let shared = if location.is_embedded() {
            let in_place = InPlace::new(location.clone(), settings.deadlines);
            Some((lane(Use::Write, SQLITE_WRITERS)?, Arc::new(in_place)))
        } else {
            None
        };
        let store = |connections| Store::open(&location, shared.as_ref(), settings, connections);
        let for_every_tenant = |connections| {
            Ok::<_, OpenError>(EveryTenant::new(match &shared {
                Some((writer, _)) => writer.clone(),
                None => lane_at(&worker, Use::EveryTenant, connections)?,
            }))
        };
        let every_tenant = for_every_tenant(EVERY_TENANT)?;
        Ok(Self {
            requests: store(settings.connections.requests)?,
            workers: store(settings.connections.workers)?,
            deliveries: for_every_tenant(settings.connections.deliveries)?,
            listener: if location.is_embedded() {
                None
            } else {
                Some(Listener::new(single()?, every_tenant.clone()))
            },
            every_tenant,
            limits: if location.is_embedded() { None } else { Some(limits(&worker, settings.deadlines)?) },
            watch: single()?,
            expected: Arc::new(migrations::expected(&location, products)?),
        })
    }

    /// Brings the schema up to date, and on PostgreSQL what each role may do with it; says what was done. Blocks.
    pub fn migrate(settings: &StoreSettings, products: &[&Migrations]) -> Result<Migrated, OpenError> {
        admission::migrate(settings, products)
    }
}

impl Database {
    /// Looks whether the database can be worked with: whether it answers, has the schema of this version
    /// with all its tables, and takes writes.
    pub async fn check(&self) -> Result<(), Error> {
        let (expected, patience) = (Arc::clone(&self.expected), WATCH_PATIENCE);
        self.watch.run(move |connection| again_after_conflicts(patience, || expected.check(connection))).await
    }

    /// How much the database has not cleaned up yet.
    pub async fn uncleaned(&self) -> Result<Uncleaned, Error> {
        match &self.requests.location {
            Location::Sqlite(path) => {
                Ok(Uncleaned { log_bytes: sqlite::log_bytes(path), ..Uncleaned::default() })
            }
            Location::Postgres(_) => {
                let look = |connection: &mut AnyConnection| Ok::<_, Error>(engine::dead_rows(connection)?);
                Ok(Uncleaned { dead_rows: self.watch.run(look).await?, ..Uncleaned::default() })
            }
        }
    }
}

impl Store {
    fn open(
        location: &Location,
        shared: Option<&(Lane, Arc<InPlace>)>,
        settings: &StoreSettings,
        connections: u32,
    ) -> Result<Self, OpenError> {
        let lane = |purpose, connections| {
            Lane::new(Manager::new(location.clone(), purpose, settings.deadlines), connections)
        };
        let location = location.clone();
        if let Some((writer, in_place)) = shared {
            let readers = lane(Use::Read, connections)?;
            Ok(Self { writers: writer.clone(), readers, in_place: Some(Arc::clone(in_place)), location })
        } else {
            let every = lane(Use::Write, connections)?;
            Ok(Self { writers: every.clone(), readers: every, in_place: None, location })
        }
    }

    /// Runs work that writes for the context's tenant, in a transaction. It may run more than once, when
    /// another transaction was in the way.
    pub async fn write<E, T, X, F>(&self, context: &Context<E>, work: F) -> Result<T, X>
    where
        E: Environment,
        F: Fn(&mut Tx<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        let calls = context.metered_call().cloned().into_iter().collect();
        self.write_for(context, calls, work).await
    }

    /// The same for several calls of the context's tenant, all of which count with it.
    async fn write_for<E, T, X, F>(
        &self,
        context: &Context<E>,
        calls: Vec<Arc<MeteredCall>>,
        work: F,
    ) -> Result<T, X>
    where
        E: Environment,
        F: Fn(&mut Tx<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        let invocation = context.invocation().clone();
        let lock_wait = self.writers.deadlines().lock_wait();
        let run = move |connection: &mut AnyConnection, end| {
            // A connection that cannot be cut, as to a file, lets the work go on; it must not succeed after its
            // caller was told that it has failed.
            let in_time = |tx: &mut Tx<'_>| match work(tx)? {
                value if Instant::now() < end => Ok(value),
                _ => Err(Error::unavailable("it was given up").into()),
            };
            transaction::run(connection, &invocation, &calls, lock_wait, in_time)
        };
        self.writers.run_until(run).await
    }

    /// Runs work that reads for the context's tenant.
    pub async fn read<E, T, X, F>(&self, context: &Context<E>, work: F) -> Result<T, X>
    where
        E: Environment,
        F: Fn(&mut Reader<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        let tenant_id = context.tenant_id().clone();
        self.readers.run(move |connection| reader::run(connection, &tenant_id, work)).await
    }

    /// Runs one indexed read of a few rows for the context's tenant. On SQLite that takes less time than
    /// the way to the blocking pool and back, so it runs in place where nothing makes it wait, and
    /// otherwise as in [`Self::read`].
    pub async fn read_row<E, T, X, F>(&self, context: &Context<E>, work: F) -> Result<T, X>
    where
        E: Environment,
        F: Fn(&mut Reader<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.read_row_of(context.tenant_id().clone(), work).await
    }

    /// Runs one read of so many rows, each by an index, for the context's tenant: where they are few as in
    /// [`Self::read_row`], and otherwise as in [`Self::read`].
    pub async fn read_rows<E, T, X, F>(&self, context: &Context<E>, rows: usize, work: F) -> Result<T, X>
    where
        E: Environment,
        F: Fn(&mut Reader<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        if rows <= FEW { self.read_row(context, work).await } else { self.read(context, work).await }
    }

    /// [`Self::read_row`] for a tenant of which nothing is known but its name.
    pub(crate) async fn read_row_of<T, X, F>(&self, tenant_id: TenantId, work: F) -> Result<T, X>
    where
        F: Fn(&mut Reader<'_>) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.run_row(move |connection| reader::run(connection, &tenant_id, &work)).await
    }

    /// Runs one indexed read before the tenant is known, because it has to find out who calls. It must
    /// not touch a tenant's rows for any other purpose; on PostgreSQL it sees none but through a function of the owner's
    /// ([`Migrations::look_ups`]).
    pub async fn look_up<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: Fn(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        self.run_row(work).await
    }

    async fn run_row<T, X, F>(&self, work: F) -> Result<T, X>
    where
        F: Fn(&mut AnyConnection) -> Result<T, X> + Send + 'static,
        T: Send + 'static,
        X: Failure + Send + 'static,
    {
        match self.in_place.as_ref().and_then(|in_place| in_place.run(&work)) {
            Some(Err(error)) if error.is_conflict() => {}
            Some(outcome) => return outcome,
            None => {}
        }
        self.readers.run(work).await
    }

    /// Records `value` under `name` unless a value is there already, and returns the one that is.
    /// Blocks.
    pub fn recorded_once(&self, name: &str, value: &str) -> Result<String, OpenError> {
        Ok(installation::record_once(&mut self.connect()?, name, value)?)
    }

    /// What is recorded under `name`. Blocks.
    pub fn recorded(&self, name: &str) -> Result<Option<String>, OpenError> {
        Ok(installation::recorded(&mut self.connect()?, name)?)
    }

    /// Records `value` under `name` if `former` is what is there; says whether it was. Blocks.
    pub fn record_after(&self, name: &str, former: &str, value: &str) -> Result<bool, OpenError> {
        Ok(installation::record_after(&mut self.connect()?, name, former, value)?)
    }

    /// A connection outside of the lanes, for what is asked once in a process. Blocks.
    fn connect(&self) -> Result<AnyConnection, OpenError> {
        self.location.connect(Use::SetUp, &Deadlines::default())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        self.readers.run(|connection| connection.ping().map_err(Error::unavailable)).await
    }
}

fn limits(location: &Location, deadlines: Deadlines) -> Result<EveryTenant, OpenError> {
    // What nobody waits for any more ends soon, so that the connection is free again.
    let limit = |usual: Duration| usual.min(deadlines.limits * 4);
    let deadlines = Deadlines {
        connect: limit(deadlines.connect),
        check_out: limit(deadlines.check_out),
        statement: limit(deadlines.statement),
        work: limit(deadlines.work),
        ..deadlines
    };
    Ok(EveryTenant::new(Lane::new(Manager::new(location.clone(), Use::EveryTenant, deadlines), 1)?))
}
