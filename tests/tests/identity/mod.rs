//! The partner product's domain on both engines, as the gate calls it: apps, tokens and keys.

mod apps;
pub(crate) mod oauth;
mod signing_keys;
pub(crate) mod support;
mod token_forgery;
mod tokens;
