//! The first product's tables, models and queries, one file per resource. Rules of the domain do not
//! live here.

pub mod allowances;
pub mod apps;
pub mod authorizations;
pub mod client_assertions;
pub mod profiles;
pub mod uploads;

use argus_core::store::{Command, Migrations, Table};
use diesel_migrations::embed_migrations;

/// The migrations of this product's tables.
pub static MIGRATIONS: Migrations = Migrations {
    tables: &[
        Table::of_tenants("apps", &[Command::Select, Command::Insert, Command::Update], &[]),
        // Requests read it, and the operator says it.
        Table::of_tenants("scope_allowances", &[Command::Select, Command::Insert, Command::Update], &[]),
        Table::of_tenants("profiles", &[Command::Select, Command::Insert, Command::Update], &[]),
        // What its time is over for is removed by the machinery.
        Table::of_tenants("uploads", &[Command::Insert], &[Command::Select, Command::Delete]),
        Table::of_tenants(
            "grants",
            &[Command::Select, Command::Insert, Command::Update, Command::Delete],
            &[],
        ),
        Table::of_tenants(
            "token_families",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Delete],
        ),
        Table::of_tenants(
            "authorization_codes",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Delete],
        ),
        Table::of_tenants(
            "refresh_tokens",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Delete],
        ),
        Table::of_tenants(
            "pushed_requests",
            &[Command::Select, Command::Insert, Command::Update],
            &[Command::Select, Command::Delete],
        ),
        // Requests note what was used, and never look.
        Table::of_tenants("client_assertions", &[Command::Insert], &[Command::Select, Command::Delete]),
    ],
    look_ups: &["argus_find_client(text)"],
    backfills: &[],
    postgres: embed_migrations!("migrations/postgres"),
    sqlite: embed_migrations!("migrations/sqlite"),
};
