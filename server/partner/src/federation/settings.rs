//! The file of `--federation-file`: TOML, one `[[channel]]` for each catalogue. No message shows a token.

use argus_core::ids::{OrganizationId, TenantId};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::secret::SecretText;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use std::collections::HashSet;

/// The channels of an installation.
#[derive(Clone, Debug, Default)]
pub struct FederationSettings {
    /// In the order of their names.
    pub channels: Vec<ChannelSettings>,
}

/// A channel to another installation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSettings {
    /// Its name, which callers see: 1 to 64 characters out of small letters, digits and hyphens.
    pub name: String,
    /// Where its catalogue is: the URL of `data_schema_list` there.
    pub url: String,
    /// The bearer token that opens it.
    pub token: SecretText,
    /// The highest secrecy of what is shown of it.
    #[serde(default)]
    pub secrecy_max: SecrecyLevel,
    /// Tenants that it is approved for.
    #[serde(default)]
    pub tenants: HashSet<TenantId>,
    /// Organisations that it is approved for, of whatever tenant.
    #[serde(default)]
    pub organizations: HashSet<OrganizationId>,
}

/// Why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not what such a file is.
    #[error("{0}")]
    Form(String),
    /// A channel cannot be used.
    #[error("channel `{0}`: {1}")]
    Channel(String, &'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    channel: Vec<ChannelSettings>,
}

impl FederationSettings {
    /// What a file says.
    ///
    /// # Errors
    ///
    /// When it cannot be used; the error names the line or the channel.
    pub fn read(text: &str) -> Result<Self, SettingsError> {
        let explain = |error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            // What the parser quotes may be a token.
            let message = error.message();
            let message = message.strip_prefix("invalid ").map_or(message, |_| "a value that does not fit");
            SettingsError::Form(format!("line {line}: {message}"))
        };
        let File { channel: mut channels } = toml::from_str(text).map_err(explain)?;
        channels.sort_by(|left, right| left.name.cmp(&right.name));
        for channel in &channels {
            let failed = |reason| Err(SettingsError::Channel(channel.name.clone(), reason));
            if !is_name(&channel.name) {
                return failed("the name must be 1 to 64 characters out of a-z, 0-9 and -");
            }
            if channel.tenants.is_empty() && channel.organizations.is_empty() {
                return failed("it is approved for nobody: name `tenants` or `organizations`");
            }
            if channel.token.expose().is_empty() || channel.authorization().is_none() {
                return failed("the token must be visible ASCII characters");
            }
        }
        match channels.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(SettingsError::Channel(pair[0].name.clone(), "there are two of this name")),
            None => Ok(Self { channels }),
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

impl ChannelSettings {
    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.token.expose())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[channel]]\nname = \"coi-b\"\nurl = \"https://b.example/v1/discovery/data-schemas\"\n\
        token = \"hunter2\"\nsecrecy_max = \"restricted\"\ntenants = [\"tnt_01\"]\n\
        [[channel]]\nname = \"coi-a\"\nurl = \"https://a.example/\"\ntoken = \"t\"\norganizations = [\"org_01\"]\n";

    #[test]
    fn channels_are_read_in_the_order_of_their_names() {
        let read = FederationSettings::read(GOOD).expect("channels");
        let names: Vec<&str> = read.channels.iter().map(|channel| &*channel.name).collect();
        assert_eq!(names, ["coi-a", "coi-b"]);
        assert_eq!(read.channels[1].secrecy_max, SecrecyLevel::Restricted);
        assert!(FederationSettings::read("").expect("no channels").channels.is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_named_and_no_token_is_shown() {
        for (from, to, named) in [
            ("name = \"coi-b\"", "name = \"COI\"", "COI"),
            ("name = \"coi-b\"", "name = \"coi-a\"", "two of this name"),
            ("tenants = [\"tnt_01\"]", "", "approved for nobody"),
            ("secrecy_max = \"restricted\"", "secrecy_max = \"hunter2\"", "line 5"),
            ("token = \"hunter2\"", "token = [\"hunter2\"]", "line 4"),
            ("token = \"hunter2\"", "token = \"hunter2\\n\"", "visible"),
            ("url =", "uri =", "uri"),
        ] {
            let error = FederationSettings::read(&GOOD.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.contains(named) && !error.contains("hunter2"), "{error}");
        }
    }
}
