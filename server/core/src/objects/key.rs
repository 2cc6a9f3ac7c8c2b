//! Names that cannot lead anywhere else: where an object lies, and what it is called when it is saved. Both
//! are made of letters, digits and a few signs, so that they mean the same in a path, in a URL and in a
//! header, and are never escaped.

use crate::ids::TenantId;
use argus_openapi::headers;
use std::fmt;
use std::str::FromStr;

/// Longest part of a key and longest download name, in bytes: what every file system takes, with room for
/// what the store appends to a file that is not whole yet.
const PART_MAX: usize = 128;

/// A text that names no place for an object, or that is no name for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name for an object: letters, digits and `. _ -`, the first one no dot")]
pub struct NotAName;

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// What the service has made for a tenant.
    Results,
    /// What a tenant has sent.
    Uploads,
}

impl Collection {
    const ALL: [Self; 2] = [Self::Results, Self::Uploads];

    /// How a key begins.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Results => "results",
            Self::Uploads => "uploads",
        }
    }
}

/// Where an object lies: a collection, a tenant's part of it, and a name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The place of a tenant's object.
    pub fn new(collection: Collection, tenant_id: &TenantId, name: &str) -> Result<Self, NotAName> {
        format!("{}/{tenant_id}/{name}", collection.as_str()).parse()
    }

    /// The key as a relative path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The media type that the name's ending stands for.
    pub fn media_type(&self) -> &'static str {
        headers::media_type(self.name())
    }
}

impl FromStr for ObjectKey {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let parts: Vec<&str> = text.split('/').collect();
        let [collection, tenant_id, name] = parts[..] else { return Err(NotAName) };
        let is_collection = Collection::ALL.iter().any(|known| known.as_str() == collection);
        if is_collection && tenant_id.parse::<TenantId>().is_ok() && is_part(tenant_id) && is_part(name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName)
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a file is called by whoever saves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadName(String);

impl DownloadName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of `Content-Disposition` (RFC 6266). No character of the name needs quoting.
    pub fn disposition(&self) -> String {
        headers::disposition(&self.0)
    }
}

impl FromStr for DownloadName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if is_part(text) { Ok(Self(text.to_owned())) } else { Err(NotAName) }
    }
}

/// Whether this is one plain part of a path. It is not hidden, leads nowhere, and looks like no option.
pub(super) fn is_part(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    begins && text.len() <= PART_MAX && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_collection_a_tenant_and_a_name() {
        let tenant: TenantId = "tnt_1".parse().expect("an id");
        let key = ObjectKey::new(Collection::Results, &tenant, "01HFXY.ndjson").expect("a key");
        assert_eq!(key.as_str(), "results/tnt_1/01HFXY.ndjson");
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        assert_eq!((key.name(), key.media_type()), ("01HFXY.ndjson", "application/x-ndjson"));
    }

    #[test]
    fn no_key_leaves_its_directory_or_hides_in_it() {
        let long = "a".repeat(PART_MAX + 1);
        for name in [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "a/../../b",
            "/a",
            "a\\b",
            ".hidden",
            "-rf",
            "a#1",
            "a b",
            "a%2e",
            "a\0",
            "a\n",
            "caf\u{e9}",
            &long,
        ] {
            let tenant: TenantId = "tnt_1".parse().expect("an id");
            assert_eq!(ObjectKey::new(Collection::Uploads, &tenant, name), Err(NotAName), "{name:?}");
            assert!(name.parse::<DownloadName>().is_err(), "{name:?}");
        }
        for key in ["", "results", "results/tnt_1", "other/tnt_1/a", "results/other_1/a", "results/tnt_1/a/b"]
        {
            assert!(key.parse::<ObjectKey>().is_err(), "{key}");
        }
    }
}
