//! Cargo sees only Rust sources by itself; a migration that is added must be compiled in as well.

// This is how a build script speaks to cargo.
#![allow(clippy::print_stdout)]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
