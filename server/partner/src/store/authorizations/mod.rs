//! What users have allowed apps to do, and what follows from it: the tables and their queries, the same on both engines.
//! Who may have what does not live here.
//!
//! - [`grants`]: which scopes a user has consented to
//! - [`families`]: the tokens that one authorization code leads to
//! - [`codes`]: authorization codes
//! - [`refresh_tokens`]: refresh tokens
//! - [`pushed_requests`]: authorization requests that a client has pushed
//! - [`retention`]: when of all that is forgotten

pub mod codes;
pub mod families;
pub mod grants;
pub mod pushed_requests;
pub mod refresh_tokens;
pub mod retention;

/// A second, as the database's clock counts: in microseconds.
pub(super) const SECOND: i64 = 1_000_000;
