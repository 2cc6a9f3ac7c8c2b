//! Which servers a client talks to, and which of them an operation goes to.

use crate::error::Error;
use crate::generated_hosts::{OPERATIONS, OperationRow};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// A server of the Argus External API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Identity, OAuth, keys and the live webhook operations.
    Auth,
    /// The live partner surface.
    Api,
    /// The deterministic partner surface.
    Sandbox,
}

/// Which of the two partner surfaces a client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Surface {
    Live,
    Sandbox,
}

/// The servers that a client talks to.
///
/// The published descriptor says, operation by operation, which hosts serve it. In a sandbox
/// environment an operation goes to the sandbox host if that serves it, else to the auth host; in a
/// live environment it goes to the API host or the auth host and never to the sandbox.
///
/// ```
/// use argus_sdk::{Environment, Host};
///
/// assert_eq!(Environment::production().base_url(Host::Api).as_str(), "https://api.knogin.com/");
///
/// let local = Environment::custom("127.0.0.1:8080", "127.0.0.1:8081", "http://127.0.0.1:8082")?
///     .using_sandbox();
/// assert_eq!(local.base_url(Host::Sandbox).as_str(), "http://127.0.0.1:8082/");
/// # Ok::<(), argus_sdk::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Environment {
    auth: Url,
    api: Url,
    sandbox: Url,
    surface: Surface,
}

impl Environment {
    /// The live service.
    pub fn production() -> Self {
        Self::public(Surface::Live)
    }

    /// The public sandbox: no charge, no effect, and the same answer to the same request.
    pub fn sandbox() -> Self {
        Self::public(Surface::Sandbox)
    }

    /// Servers of your own, live surface; see [`Environment::using_sandbox`] for the other one. Each
    /// is a base URL, or `host:port`, which means plain `http`.
    pub fn custom(auth: &str, api: &str, sandbox: &str) -> Result<Self, Error> {
        Ok(Self {
            auth: base_url(auth)?,
            api: base_url(api)?,
            sandbox: base_url(sandbox)?,
            surface: Surface::Live,
        })
    }

    /// One server for everything that it serves: the API host, or the sandbox host, which take the same requests.
    /// Which of them it is does not show in the code that uses it.
    pub fn at(url: &str) -> Result<Self, Error> {
        Self::custom(url, url, url)
    }

    /// The same servers; what the sandbox host serves goes there.
    #[must_use]
    pub fn using_sandbox(self) -> Self {
        Self { surface: Surface::Sandbox, ..self }
    }

    /// Whether partner operations go to the sandbox host.
    pub fn is_sandbox(&self) -> bool {
        self.surface == Surface::Sandbox
    }

    /// Base URL of a host.
    pub fn base_url(&self, host: Host) -> &Url {
        match host {
            Host::Auth => &self.auth,
            Host::Api => &self.api,
            Host::Sandbox => &self.sandbox,
        }
    }

    /// The host that an operation of the contract goes to, by operation id; nothing if no host of
    /// this environment serves it.
    pub fn host_of(&self, operation_id: &str) -> Option<Host> {
        self.host_of_row(row(operation_id)?)
    }

    pub(crate) fn host_of_row(&self, row: &OperationRow) -> Option<Host> {
        let preferred: &[Host] = match self.surface {
            Surface::Live => &[Host::Api, Host::Auth],
            Surface::Sandbox => &[Host::Sandbox, Host::Auth],
        };
        preferred.iter().copied().find(|host| row.hosts.contains(host))
    }

    fn public(surface: Surface) -> Self {
        let url = |text: &str| Url::parse(text).expect("the public URLs are valid");
        use crate::generated_hosts::{API_URL, AUTH_URL, SANDBOX_URL};
        Self { auth: url(AUTH_URL), api: url(API_URL), sandbox: url(SANDBOX_URL), surface }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("auth", &self.auth.as_str())
            .field("api", &self.api.as_str())
            .field("sandbox", &self.sandbox.as_str())
            .field("surface", &self.surface)
            .finish()
    }
}

/// The published row of an operation.
pub(crate) fn row(operation_id: &str) -> Option<&'static OperationRow> {
    OPERATIONS.binary_search_by(|row| row.id.cmp(operation_id)).ok().map(|index| &OPERATIONS[index])
}

fn base_url(text: &str) -> Result<Url, Error> {
    // The text itself is not repeated: it may hold a password.
    let refused = |why: &str| Error::invalid_input(format!("not a base URL or host:port: {why}"));
    let text_with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url = Url::from_str(&text_with_scheme).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("http or https with a host is needed"));
    }
    // Without this check the text, credentials included, would stand in Debug output and errors.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid_input("a base URL must not carry credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("a base URL has no query and no fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_operation_is_found() {
        assert!(OPERATIONS.is_sorted_by(|a, b| a.id < b.id));
        for entry in OPERATIONS {
            assert_eq!(row(entry.id).map(|found| found.id), Some(entry.id));
            assert!(!entry.hosts.is_empty(), "{} has no server", entry.id);
        }
    }

    #[test]
    fn a_live_environment_never_chooses_the_sandbox_host() {
        for entry in OPERATIONS {
            assert_ne!(Environment::production().host_of(entry.id), Some(Host::Sandbox), "{}", entry.id);
        }
        assert_eq!(Environment::production().host_of("sandbox_scenario_list"), None);
    }

    #[test]
    fn a_sandbox_environment_takes_the_sandbox_host_wherever_it_serves() {
        let environment = Environment::sandbox();
        for entry in OPERATIONS {
            let expected = if entry.hosts.contains(&Host::Sandbox) { Host::Sandbox } else { Host::Auth };
            assert_eq!(environment.host_of(entry.id), Some(expected), "{}", entry.id);
        }
        assert_eq!(environment.host_of("app_sandbox_token_create"), Some(Host::Auth));
        assert_eq!(environment.host_of("no_such_operation"), None);
    }

    #[test]
    fn a_base_url_with_credentials_or_another_scheme_is_refused_and_the_password_not_repeated() {
        let error = Environment::custom("https://u:hunter2@h", "h:1", "h:2").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        for text in ["", "ftp://h", "http://h/?q", "http://h/#f", "http://"] {
            assert!(Environment::custom(text, "h:1", "h:2").is_err(), "{text}");
        }
    }
}
