//! The first product's tables, models and queries, one file per resource. Rules of the domain do not
//! live here.

pub mod apps;
pub mod profiles;
pub mod uploads;

use argus_core::store::Migrations;
use diesel_migrations::embed_migrations;

/// The migrations of this product's tables.
pub static MIGRATIONS: Migrations = Migrations {
    tables: &["apps", "profiles", "uploads"],
    postgres: embed_migrations!("migrations/postgres"),
    sqlite: embed_migrations!("migrations/sqlite"),
};
