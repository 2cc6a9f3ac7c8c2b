//! From a request to an answer: trace, host row, caller, precondition, handler, stamp, count. [`answer`] is the one
//! wrapper; what an operation does once it is let through does not live here.

mod answer;
mod call;
mod credentials;
mod entry;
mod failures;
mod forwarded;
pub mod header;
mod precondition;
mod problem;
mod refusal;
mod render;
mod sandbox;
pub mod trace;
mod unread;
mod verifier;

pub use answer::{answer, answer_body};
pub use call::Call;
pub use credentials::{
    AuthenticatedClient, ClientForm, Credentials, LiveToken, Nobody, SandboxToken, SandboxUrl, SignedUrl,
};
pub use forwarded::{NotANetwork, TrustedProxies};
pub use problem::{Outcome, Problem};
pub use render::{Empty, Success};
pub use sandbox::Sandbox;
pub use unread::{Sender, settle};
pub use verifier::Verifier;
