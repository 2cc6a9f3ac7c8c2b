//! Every test of the service that needs more than one crate. One binary for all of them, because each
//! would link the whole server again.
//!
//! - `black_box`: the service from outside, through real sockets, in this process or as a child
//! - `store`, `objects`, `identity`: the core and the partner product as the gate calls them
//! - `deliveries`: the deliveries of the core, attempted over real sockets
//! - `dialler`: the way to receivers, over real sockets
//! - `envelope`: secrets that are sealed and opened
//! - `jobs`: the jobs of the core, with kinds of their own
//! - `audit`: the audit trail as hash chains: linked, checked, pruned and exported
//! - `limits`: how often something may happen, of one node and of several
//! - `wall`: what PostgreSQL itself keeps from the wrong hands
//! - `parity`: the live api host and the sandbox host, side by side
//! - `faults`: what is killed, cut, full or wrong; `cargo xtask chaos` runs these at their whole size
//! - `edges`: which crate may depend on which

#![allow(clippy::unwrap_used, missing_docs)]

mod audit;
mod black_box;
mod deliveries;
mod dialler;
mod edges;
mod envelope;
mod faults;
mod identity;
mod jobs;
mod limits;
mod objects;
mod parity;
mod store;
mod wall;
