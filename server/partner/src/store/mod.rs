//! The first product's tables, models and queries, one file per resource. Rules of the domain do not
//! live here.

pub mod apps;
pub mod profiles;
pub mod uploads;

use argus_core::store::{Command, Migrations, Table};
use diesel_migrations::embed_migrations;

/// The migrations of this product's tables.
pub static MIGRATIONS: Migrations = Migrations {
    tables: &[
        Table::of_tenants("apps", &[Command::Select, Command::Insert, Command::Update], &[]),
        Table::of_tenants("profiles", &[Command::Select, Command::Insert, Command::Update], &[]),
        // What its time is over for is removed by the machinery.
        Table::of_tenants("uploads", &[Command::Insert], &[Command::Select, Command::Delete]),
    ],
    look_ups: &["argus_find_client(text)"],
    backfills: &[],
    postgres: embed_migrations!("migrations/postgres"),
    sqlite: embed_migrations!("migrations/sqlite"),
};
