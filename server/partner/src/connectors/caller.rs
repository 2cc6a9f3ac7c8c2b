//! Who may reach a connector: a caller of the live environment, by type and once more by its token.

use crate::error::Error;
use argus_core::context::{Context, Live, Trace};
use argus_openapi::types::error::ErrorCode;

/// A caller of the live environment. It is made of a live context and of no other. A command of the operator's has one
/// as well, made of the tenant by `Tenant::cleared_operator`:
///
/// ```
/// use argus_core::context::{Context, Live};
/// use argus_partner::connectors::LiveCaller;
///
/// fn caller(context: &Context<Live>) -> LiveCaller<'_> {
///     LiveCaller::from(context)
/// }
/// ```
///
/// ```compile_fail,E0277
/// use argus_core::context::{Context, Environment};
/// use argus_partner::connectors::LiveCaller;
///
/// #[derive(Clone)]
/// struct Sandbox;
///
/// impl Environment for Sandbox {}
///
/// fn caller(context: &Context<Sandbox>) -> LiveCaller<'_> {
///     LiveCaller::from(context)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LiveCaller<'a>(&'a Context<Live>);

impl<'a> From<&'a Context<Live>> for LiveCaller<'a> {
    fn from(context: &'a Context<Live>) -> Self {
        Self(context)
    }
}

/// A caller with a sandbox token was taken for a live one. A defect of this side stops here, before anything is
/// sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SandboxCaller;

impl From<SandboxCaller> for Error {
    fn from(SandboxCaller: SandboxCaller) -> Self {
        Self::refused(
            ErrorCode::SandboxTokenOnLiveHost,
            "connectors refuse sandbox tokens; use the sandbox host or a live token",
        )
    }
}

impl<'a> LiveCaller<'a> {
    /// Looks at the caller's token, whatever its type says.
    ///
    /// # Errors
    ///
    /// When it is a sandbox token.
    pub fn check(self) -> Result<(), SandboxCaller> {
        if self.0.principal.is_sandboxed { Err(SandboxCaller) } else { Ok(()) }
    }

    /// The trace that the caller's call is a part of.
    pub fn trace(self) -> Option<&'a Trace> {
        self.0.trace.as_ref()
    }
}
