//! The ready file: what tools read to find the hosts once all of them accept.

use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// Contents of the ready file.
#[derive(Serialize)]
pub(super) struct Ready<'a> {
    /// Base URL of the auth host.
    pub(super) auth: &'a str,
    /// Base URL of the live API host.
    pub(super) api: &'a str,
    /// Base URL of the sandbox host.
    pub(super) sandbox: &'a str,
    /// Demo credentials, in `dev` only.
    #[serde(flatten)]
    pub(super) demo: Option<Demo<'a>>,
}

/// Demo credentials of `argus dev`.
#[derive(Serialize)]
pub(super) struct Demo<'a> {
    pub(super) admin_token: &'a str,
    pub(super) tenant_id: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn write_private(path: &Path, content: &impl Serialize) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // `tempfile` creates its files with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
