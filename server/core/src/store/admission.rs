//! Which roles may work with a database of PostgreSQL, and who brings it up to date. The owner migrates, and a service
//! is let in when it is not the owner and the wall between tenants stands. For development a superuser may be all three,
//! and migrates by itself, as whoever opens a file does.

use super::connection::AnyConnection;
use super::engine::Use;
use super::error::OpenError;
use super::location::Location;
use super::migrations::{self, Migrated, Migrations};
use super::settings::{DatabaseUrl, Deadlines, StoreSettings};
use super::wall::{Role, Roles};
use diesel::PgConnection;

const NO_OWNER: OpenError = OpenError::Unsaid(
    "say with --database-owner-url (ARGUS_DATABASE_OWNER_URL) who owns the tables of the PostgreSQL database and may \
     change them; the role of --database-url serves requests and must not",
);
const NO_WORKER: OpenError = OpenError::Unsaid(
    "say with --database-worker-url (ARGUS_DATABASE_WORKER_URL) which role claims and ends the jobs of every tenant in \
     the PostgreSQL database; the role of --database-url sees one tenant at a time",
);
const NO_USER: OpenError = OpenError::Unsaid(
    "the URLs of the PostgreSQL database must name their users, because these are given what they need",
);

/// Brings a database up to date: as its owner on PostgreSQL, or as the superuser who is everybody.
pub(super) fn migrate(settings: &StoreSettings, products: &[&Migrations]) -> Result<Migrated, OpenError> {
    let location = Location::parse(settings.url.expose())?;
    let owner = match &settings.owner_url {
        Some(url) if !location.is_embedded() => Location::parse(url.expose())?,
        _ => location.clone(),
    };
    owner.prepare()?;
    let mut connection = owner.connect(Use::SetUp, &Deadlines::default())?;
    let roles = match &mut connection {
        AnyConnection::Pg(connection) => roles(connection, settings)?,
        AnyConnection::Sqlite(_) => Roles::default(),
    };
    migrations::run(&mut connection, products, &roles)
}

/// The roles that policies are made for: those of the URLs.
fn roles(connection: &mut PgConnection, settings: &StoreSettings) -> Result<Roles, OpenError> {
    let mut requests = None;
    if settings.owner_url.is_some() {
        requests = Some(serving_role(connection, &settings.url)?);
        if settings.worker_url.is_none() {
            return Err(NO_WORKER);
        }
    } else if !Role::of_session(connection)?.is_superuser {
        return Err(NO_OWNER);
    }
    let worker = match &settings.worker_url {
        Some(url) => Some(serving_role(connection, url)?),
        None => None,
    };
    require_two(requests.as_deref(), worker.as_deref())?;
    Ok(Roles { requests, worker })
}

/// The role of a URL, which must be one that the wall holds.
fn serving_role(connection: &mut PgConnection, url: &DatabaseUrl) -> Result<String, OpenError> {
    let Location::Postgres(url) = Location::parse(url.expose())? else { return Err(NO_USER) };
    let role = Role::named(connection, url.user().ok_or(NO_USER)?)?;
    role.require_bound()?;
    // Before there is any table, nobody owns one.
    if role.is_of_session() {
        return Err(owner(&role));
    }
    Ok(role.name)
}

fn owner(role: &Role) -> OpenError {
    let fault = "is or can become the role that migrates, who owns the tables".to_owned();
    OpenError::Role { role: role.name.clone(), fault }
}

/// Who serves every tenant must not be who serves one at a time.
fn require_two(requests: Option<&str>, worker: Option<&str>) -> Result<(), OpenError> {
    match worker {
        Some(worker) if requests == Some(worker) => {
            let fault = "would serve requests as well as every tenant".to_owned();
            Err(OpenError::Role { role: worker.to_owned(), fault })
        }
        _ => Ok(()),
    }
}

/// Sees to it that a database can be worked with, and says where the machinery connects.
pub(super) fn open(
    location: &Location,
    settings: &StoreSettings,
    products: &[&Migrations],
) -> Result<Location, OpenError> {
    let alone = || StoreSettings { owner_url: None, ..settings.clone() };
    if location.is_embedded() {
        migrate(&alone(), products)?;
        return Ok(location.clone());
    }
    let mut connection = server(location)?;
    let requests = Role::of_session(&mut connection)?;
    if requests.is_unbound() && !settings.require_wall {
        tracing::warn!(
            role = requests.name,
            "row-level security does not hold this database role: it is for development alone"
        );
    } else {
        requests.require_bound()?;
    }
    let worker_location = match &settings.worker_url {
        Some(url) => Location::parse(url.expose())?,
        None if requests.is_unbound() => location.clone(),
        None => return Err(NO_WORKER),
    };
    if requests.is_superuser {
        drop(connection);
        migrate(&alone(), products)?;
        return Ok(worker_location);
    }
    migrations::require(&mut connection, &migrations::expected(location, products)?)?;
    if requests.is_unbound() {
        return Ok(worker_location);
    }
    let worker = Role::of_session(&mut server(&worker_location)?)?;
    worker.require_bound()?;
    require_two(Some(&requests.name), Some(&worker.name))?;
    let roles = Roles { requests: Some(requests.name), worker: Some(worker.name) };
    match migrations::wall_plan(&mut connection, products, &roles)?.as_slice() {
        [] => Ok(worker_location),
        [first, ..] => {
            Err(OpenError::Wall(format!("run `argus migrate` with the same URLs, which begins with {first}")))
        }
    }
}

/// A connection to a server.
fn server(location: &Location) -> Result<PgConnection, OpenError> {
    match location.connect(Use::SetUp, &Deadlines::default())? {
        AnyConnection::Pg(connection) => Ok(connection),
        AnyConnection::Sqlite(_) => Err(OpenError::Url("it names a file, where that of a server is needed")),
    }
}
