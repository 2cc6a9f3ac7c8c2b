//! The machinery that every product of the house stands on. It names no operation and no product, and
//! knows nothing of HTTP servers; the suite of `tests` proves it (`edges`).
//!
//! - [`context`]: who calls, from where, in which trace, when, and in which environment
//! - [`store`]: the database: reading and writing under a context
//! - [`tenants`], [`audit`]: what every product has
//! - [`jobs`]: work that is done after its request was answered
//! - [`outbox`]: what has happened, for those who want to be told
//! - [`deliveries`]: what has happened, told to receivers of partners
//! - [`objects`]: files that outlive a request: results and uploads, and URLs that give them out
//! - [`dialler`]: requests to receivers whose URLs others have said, without being led astray
//! - [`revocations`]: which access tokens count no more
//! - [`limits`]: how often something may happen
//! - [`usage`]: how often live operations were called, and how often they may be
//! - [`users`]: people who sign in, and the browsers that they are signed in with
//! - [`page`]: keyset pages and their sealed cursors
//! - [`envelope`]: secrets that have to be read again
//! - [`ids`], [`clock`], [`pepper`], [`files`]: small things that there is one of

pub mod audit;
pub mod clock;
pub mod context;
pub mod deliveries;
pub mod dialler;
pub mod envelope;
mod error;
pub mod files;
pub mod ids;
pub mod jobs;
pub mod limits;
pub mod objects;
pub mod outbox;
pub mod page;
pub mod pepper;
pub mod revocations;
pub mod store;
pub mod tenants;
pub mod usage;
pub mod users;

pub use clock::Clock;
pub use context::Context;
pub use error::{Error, Fault};
pub use limits::Limits;
pub use objects::Objects;
pub use store::Store;
pub use users::Users;
