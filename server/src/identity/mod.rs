//! Tenants, apps, client secrets, signing keys and tokens. HTTP does not live here.

pub mod claims;
