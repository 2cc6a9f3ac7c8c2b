//! Diesel models and queries, one file per resource.
