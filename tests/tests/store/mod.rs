//! The store of `argus-core`: transactions, tenants, pools, schema, and databases that cannot be opened.

mod nodes;
mod old_schema;
mod opening;
mod owners;
mod pools;
mod processes;
mod schema;
mod stalls;
mod tenant;
mod urls;
mod writing;

use argus_tests::Installation;

/// The versions of all migrations for this engine, oldest first, from the names of their directories.
pub(crate) fn migration_versions(installation: &Installation) -> Vec<String> {
    let engine = if installation.is_sqlite() { "sqlite" } else { "postgres" };
    let server = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server");
    let directories = ["core", "partner"].map(|product| server.join(product).join("migrations").join(engine));
    let entries = directories.iter().flat_map(|directory| std::fs::read_dir(directory).unwrap());
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<_> = names.map(|name| name.split('_').next().unwrap().replace('-', "")).collect();
    versions.sort();
    versions
}
