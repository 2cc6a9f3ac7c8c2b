//! The releases that are kept, as files: which there are, and which is the last. When one may follow another is
//! decided in `argus_openapi::compatibility`.

use argus_openapi::Contract;
use argus_openapi::compatibility::Judged;
use argus_openapi::types::common::Timestamp;
use chrono::DateTime;
use semver::Version;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// A release that is kept.
pub(crate) struct Release {
    /// The version that it stands under.
    pub(crate) version: Version,
    /// Its descriptor.
    pub(crate) descriptor: Value,
}

/// Where the release of a version is kept, below the workspace.
pub(crate) fn path(contract: &Contract, version: &Version) -> PathBuf {
    Path::new(contract.publication.files.releases).join(format!("{}-{version}.json", contract.name))
}

/// A version as it is written in file names and in `info.version`.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| format!("the version `{text}` is not one like 2026.4.0: {error}"))
}

/// The release with the highest version, if any is kept. A file with another name, or whose content is not the
/// release of its name, is an error.
pub(crate) fn last(root: &Path, contract: &Contract) -> Result<Option<Release>, String> {
    let directory = contract.publication.files.releases;
    let explain = |path: &Path, error: &io::Error| format!("{}: {error}", path.display());
    let mut versions = Vec::new();
    match fs::read_dir(root.join(directory)) {
        Ok(entries) => {
            for entry in entries {
                let name = entry.map_err(|error| explain(Path::new(directory), &error))?.file_name();
                let name = name.to_string_lossy().into_owned();
                let text = name.strip_prefix(contract.name).and_then(|rest| rest.strip_prefix('-'));
                let text = text.and_then(|rest| rest.strip_suffix(".json"));
                let text = text.ok_or_else(|| format!("{directory}/{name} is no release; move it away"))?;
                versions.push(version(text).map_err(|reason| format!("{directory}/{name}: {reason}"))?);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(explain(Path::new(directory), &error)),
    }
    let Some(version) = versions.into_iter().max() else { return Ok(None) };
    let path = path(contract, &version);
    let text = fs::read_to_string(root.join(&path)).map_err(|error| explain(&path, &error))?;
    let descriptor: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if descriptor["info"]["version"] != version.to_string() {
        return Err(format!("{}: its `info.version` is {}", path.display(), descriptor["info"]["version"]));
    }
    Ok(Some(Release { version, descriptor }))
}

/// The time by which sunsets have come or not.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}

/// What is stopped, a line each with what to do about it; nothing if all may be published.
pub(crate) fn stopped(judged: &[Judged]) -> Option<String> {
    use argus_openapi::compatibility::Verdict;
    let stopped = judged.iter().filter(|judged| !judged.verdict.passes());
    let lines: Vec<String> = stopped
        .map(|Judged { change, verdict }| {
            let advice = match verdict {
                Verdict::TooEarly(sunset) => {
                    format!("announced for {}, which has not come", sunset.to_rfc3339())
                }
                Verdict::WithoutSunset => "announced, but without `sunset_at`".to_owned(),
                Verdict::NotYetReleased => {
                    "announced in no release yet: release first, break then".to_owned()
                }
                _ => "not announced".to_owned(),
            };
            format!("  {change}: {advice}")
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
