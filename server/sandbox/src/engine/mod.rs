//! What makes mocks deterministic: the digest of a request, the virtual clock, cursors and ids that
//! carry their own check, forced statuses, and the way from a mock to its reply. No operation is
//! named here and nothing of the product's is imported; `tests/suite/layers.rs` proves both.

pub(crate) mod answer;
pub(crate) mod clock;
pub(crate) mod cursor;
pub(crate) mod digest;
pub(crate) mod documented;
pub(crate) mod errors;
pub(crate) mod graphql_selection;
pub(crate) mod mock;
pub(crate) mod preferences;
pub(crate) mod reply;
pub(crate) mod scenario_set;
pub(crate) mod sealed_id;
pub(crate) mod template;
