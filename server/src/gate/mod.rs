//! From a request to an answer: trace, host row, caller, precondition, handler, stamp, count. [`answer`] is the one
//! wrapper; what an operation does once it is let through does not live here.

mod answer;
mod browser;
mod call;
pub mod cookies;
mod credentials;
mod entry;
mod failures;
mod forwarded;
mod page;
mod problem;
mod refusal;
mod render;
mod revocations;
mod sandbox;
pub mod trace;
mod unread;
mod verifier;

pub use answer::{answer, answer_body};
pub use browser::{Browser, BrowserForm, Submission, Visitor};
pub use call::Call;
pub use cookies::CookieNames;
pub use credentials::{
    AuthenticatedClient, ClientForm, Credentials, LiveToken, Nobody, SandboxToken, SandboxUrl, SignedUrl,
};
pub use forwarded::{NotANetwork, TrustedProxies};
pub use page::Page;
pub use problem::{Outcome, Problem};
pub use render::{Empty, Success};
pub use revocations::Revocations;
pub use sandbox::Sandbox;
pub use unread::{Sender, settle};
pub use verifier::Verifier;
