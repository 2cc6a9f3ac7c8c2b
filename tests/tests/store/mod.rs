//! The store of `argus-core`: transactions, tenants, pools, schema, and databases that cannot be opened.

mod old_schema;
mod opening;
mod pools;
mod processes;
mod schema;
mod tenant;
mod writing;
