//! The pipeline from a contract to the published documents, one pure function per step:
//!
//! 1. [`raw`]: the trait as dropshot describes it, OpenAPI 3.0.3
//! 2. [`denylist`]: without the routes that are never published
//! 3. [`prune`]: without the components that only those used
//! 4. [`overlay`]: with what the operation table knows
//! 5. [`normalise`]: in one normal form
//! 6. [`examples`]: with the hand-written examples
//! 7. [`share`]: with error responses that many operations have written once
//! 8. [`raise`]: as 3.1.0
//! 9. [`deprecated_parts`]: with the parts marked that the deprecation matrix names
//! 10. [`sort`]: in the one order and form in which it is committed
//! 11. [`host_part`]: what each host serves of it, for tools that know one server
//! 12. `reference`: the same for people, and for machines that read texts
//!
//! and back, for the SDK: [`lower`] to 3.0.3, then [`generator`]. Nothing here reads or writes a
//! file; `cargo xtask regen` does.

pub mod catalog;
pub mod data_schemas;
pub mod denylist;
mod deprecated_parts;
pub mod document;
mod error;
pub mod examples;
pub mod generator;
pub mod host_part;
pub mod lower;
pub mod normalise;
pub mod overlay;
pub mod prune;
mod published;
pub mod raise;
pub mod raw;
mod reference;
pub mod share;
pub mod sort;
mod walk;
mod yaml;

pub use error::PublishError;
pub use published::{Published, publish};

use crate::Contract;
use denylist::Denylist;
use examples::Examples;
use serde_json::Value;

/// The published descriptor of a contract.
pub fn descriptor(contract: &Contract) -> Result<Value, PublishError> {
    let raw = raw::raw(contract)?;
    descriptor_of(contract, raw, &Denylist::committed(contract)?, &Examples::committed(contract)?)
}

/// The descriptor that follows from a raw description and the policy files.
pub fn descriptor_of(
    contract: &Contract,
    raw: Value,
    denylist: &Denylist,
    examples: &Examples,
) -> Result<Value, PublishError> {
    let document = denylist::deny(contract, raw, denylist)?;
    let document = prune::prune(document)?;
    let document = overlay::overlay(contract, document)?;
    let document = normalise::normalise(document);
    let document = examples::add(contract, document, examples)?;
    let document = share::share(contract, document)?;
    let document = prune::prune(document)?;
    let document = deprecated_parts::mark(contract, raise::raise(document))?;
    Ok(sort::sorted(document))
}
