//! What the suites share: installations on either engine, real servers on ports of their own, in this
//! process or as a child, and what a test needs to talk to them. The tests themselves live in `tests`.

#![allow(clippy::unwrap_used)]

mod answer;
mod authority;
mod cutter;
mod engine;
mod installation;
mod judged;
mod keys;
mod leftovers;
mod nginx;
mod patience;
mod postgres;
mod process;
mod profiles;
mod provider;
mod proxy;
pub mod published;
mod raw;
mod reach;
mod receiver;
mod s3;
mod samples;
mod scale;
mod server;
pub mod sql;
mod tenancy;
mod tokens;
mod told;
mod witness;
mod worker;

pub use answer::Answer;
pub use argus_samples::{Sample, operations_of_the_trait};
pub use authority::{Authority, tls_acceptor};
pub use cutter::Cutter;
pub use engine::{run, run_on_postgres, run_on_sqlite};
pub use installation::{Installation, name_database};
pub use judged::{Judged, assert_answers};
pub use keys::place_keys;
use leftovers::Leftovers;
pub use nginx::Nginx;
pub use patience::look_for;
pub use process::{Ended, TestProcess, argus, open_command};
pub use provider::{Deed, Received, TestProvider};
pub use proxy::{Cut, Proxy};
pub use raw::{Connection, Stream};
pub use reach::Reach;
pub use receiver::{Delivery, Receiver, Treatment};
pub use s3::S3Server;
pub use samples::Samples;
pub use scale::scale;
pub use server::{Node, TestServer};
pub use tenancy::{AppCredentials, Caller, Tenancy};
pub use tokens::{audience, claims, forge, public_key_pem, sign_text};
pub use told::{TOLD, keep_what_is_told};
pub use witness::Witness;
pub use worker::Worker;
