//! URIs that callers send. They are checked as RFC 3986 has them and kept letter for letter: a parser that
//! mends what it reads would let through what the next reader understands otherwise.

use super::checked_text::{Published, checked_text};
use fluent_uri::Uri;
use fluent_uri::component::{Authority, Host};

/// The longest URL of a receiver, in characters.
const URL_MAX_LENGTH: usize = 2_048;
/// The longest redirect URI, in characters.
const REDIRECT_MAX_LENGTH: usize = 2_000;

checked_text! {
    /// Where signed deliveries go: an absolute `https` URL without credentials or fragment, or, for a receiver that
    /// is being developed, `http` on a literal loopback address. That only an installation for development delivers
    /// to the latter is not this type's business.
    pub struct ReceiverUrl {
        check: |text: &str| check(text, URL_MAX_LENGTH),
        published: published(URL_MAX_LENGTH),
    }
}

checked_text! {
    /// A redirect URI, which is matched exactly: `https`, or `http` on a loopback address for native apps.
    ///
    /// The address must be the literal one. RFC 8252, section 8.3, advises against `localhost`: it may lead
    /// elsewhere than to this machine.
    pub struct RedirectUri {
        check: |text: &str| check(text, REDIRECT_MAX_LENGTH),
        published: published(REDIRECT_MAX_LENGTH),
    }
}

checked_text! {
    /// Where people find a page: an absolute `https` URL without credentials or fragment, or `http` on a literal
    /// loopback address.
    pub struct PageUrl {
        check: |text: &str| check(text, URL_MAX_LENGTH),
        published: published(URL_MAX_LENGTH),
    }
}

/// The path of a base URL, or none for a text that is no base URL: `http` or `https`, and no credentials,
/// query, fragment or slash at its end.
pub fn base_url_path(text: &str) -> Option<&str> {
    let parts = Parts::of(text).ok()?;
    let is_base = matches!(parts.scheme, "http" | "https") && parts.query.is_none() && !text.ends_with('/');
    is_base.then_some(parts.path)
}

/// A registered name is one that DNS could know. Its last label begins with a letter, so that nothing that
/// some reader takes for the number of an address (`0177.0.0.1`, `0x7f.1`) passes for a name.
const HOST: &str = concat!(
    r"(?:\[[0-9A-Fa-f:.]+\]",
    r"|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])",
    r"|(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)",
);
const LOOPBACK: &str = r"(?:127\.0\.0\.1|\[::1\])";
const PORT: &str = concat!(
    "(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}",
    "|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?",
);
const PATH_AND_QUERY: &str = "(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?";

/// The pattern leaves the groups of an IPv6 address to the format.
fn published(max_length: usize) -> Published {
    let pattern = format!("^(?:https://{HOST}|http://{LOOPBACK}){PORT}{PATH_AND_QUERY}$");
    Published { format: Some("uri"), max_length, pattern: Some(pattern) }
}

fn check(text: &str, max_length: usize) -> Result<(), &'static str> {
    if text.len() > max_length {
        return Err("the URL is too long");
    }
    let parts = Parts::of(text)?;
    match (parts.scheme, parts.host) {
        ("https", _) | ("http", "127.0.0.1" | "[::1]") => Ok(()),
        _ => {
            Err("the URL must begin with `https://`; `http://` is for the literal addresses `127.0.0.1` and \
                  `[::1]` only")
        }
    }
}

/// What every URI here has: an authority with a host, no credentials, and no fragment.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, &'static str> {
        let uri = Uri::parse(text).map_err(|_| {
            "it is not an absolute URL in the letters of RFC 3986, which writes any other as `%` and two digits"
        })?;
        let authority = uri.authority().ok_or("an absolute URL has `://` and a host")?;
        if authority.has_userinfo() {
            return Err("the URL must not carry a user name or password");
        }
        if uri.has_fragment() {
            return Err("the URL must not have a fragment");
        }
        if !is_host(&authority) {
            return Err("the host must be a name that DNS could know, in ASCII, or an IP address");
        }
        if !is_port(&authority) {
            return Err("the port must be a number from 1 to 65535 without leading zeros");
        }
        Ok(Self {
            scheme: uri.scheme().as_str(),
            host: authority.host(),
            path: uri.path().as_str(),
            query: uri.query().map(|query| query.as_str()),
        })
    }
}

fn is_host(authority: &Authority<'_>) -> bool {
    match authority.host_parsed() {
        Host::Ipv4 { .. } | Host::Ipv6 { .. } => true,
        Host::RegName(name) => {
            let last = name.as_str().rsplit('.').next().unwrap_or_default();
            last.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.as_str().split('.').all(is_label)
        }
        _ => false,
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_port(authority: &Authority<'_>) -> bool {
    authority.port().is_none_or(|port| {
        let port = port.as_str();
        !port.starts_with('0') && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::Validator;
    use proptest::prelude::*;
    use schemars::JsonSchema;
    use schemars::r#gen::SchemaGenerator;
    use std::str::FromStr;
    use std::sync::LazyLock;

    const URLS: [&str; 12] = [
        "https://integrator.example",
        "https://integrator.example/callback",
        "https://INTEGRATOR.example:8443/a?b=c",
        "https://integrator.example?b=/?c",
        "https://xn--bcher-kva.example/b%C3%BCcher",
        "https://my_service/",
        "https://a-b.example:1/",
        "https://a.example:65535/",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:8443/",
        "https://[::ffff:192.0.2.1]/",
        "https://a.example/;a=b:@!$&'()*+,~_-.//",
    ];

    /// What a parser that mends lets through, and what no reader should have to guess at.
    const NEITHER: [&str; 52] = [
        "",
        "/callback",
        "a.example/callback",
        "https:///x",
        "https://",
        "https:a.example",
        "https:/a.example",
        "HTTPS://a.example",
        " https://a.example",
        "https://a.example ",
        "https://a.example/a b",
        "https://a.example/\ta",
        "https://a.example/\r\na",
        "https://a.example/\n",
        "https://a.example\n",
        "https://a.example/\0",
        "https://a.example/\u{7f}",
        "https://a.example\\@b.example/",
        "https://a.example/\\",
        "https://@a.example/",
        "https://:@a.example/",
        "https://user@a.example/",
        "https://user:password@a.example/",
        "https://a.example/#",
        "https://a.example/#fragment",
        "https://a.example/%zz",
        "https://a.example/%",
        "https://a.example/?%a",
        "https://a.example/[",
        "https://a.example/\"<>^`{|}",
        "https://*/",
        "https://*.example/",
        "https://b\u{fc}cher.example/",
        "https://a.example/b\u{fc}cher",
        "https://a\u{200b}.example/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://256.0.0.1/",
        "https://loc%61lhost/",
        "https://a..example/",
        "https://a.example./",
        "https://-a.example/",
        "https://a-.example/",
        "https://a.example:/",
        "https://a.example:0/",
        "https://a.example:080/",
        "https://a.example:65536/",
        "https://[::1/",
        "https://[v1.a]/",
        "javascript://x/%0aalert(1)",
        "custom.app://callback",
    ];

    const LOOPBACK_URIS: [&str; 4] =
        ["http://127.0.0.1", "http://127.0.0.1:51004/callback", "http://[::1]/callback", "http://[::1]:1?a"];

    const NO_LOOPBACK: [&str; 12] = [
        "http://a.example/",
        "http://localhost/",
        "http://localhost:3000/",
        "http://LOCALHOST/",
        "http://loc%61lhost/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.2/",
        "http://127.0.0.1.a.example/",
        "http://127.0.0.1@a.example/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
    ];

    static RECEIVER_URL: LazyLock<Validator> = LazyLock::new(validator::<ReceiverUrl>);
    static REDIRECT_URI: LazyLock<Validator> = LazyLock::new(validator::<RedirectUri>);

    fn validator<T: JsonSchema>() -> Validator {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&serde_json::to_value(schema).expect("a schema")).expect("a valid schema")
    }

    /// Whether a text is taken, which the published schema must say as well.
    fn takes<T: FromStr>(schema: &Validator, text: &str) -> bool {
        let taken = text.parse::<T>().is_ok();
        assert_eq!(taken, schema.is_valid(&text.into()), "the service and the schema on {text:?}");
        taken
    }

    #[test]
    fn an_https_url_is_taken_everywhere_and_kept_letter_for_letter() {
        for text in URLS {
            assert!(takes::<ReceiverUrl>(&RECEIVER_URL, text), "{text}");
            assert!(takes::<RedirectUri>(&REDIRECT_URI, text), "{text}");
            assert_eq!(text.parse::<ReceiverUrl>().expect("it is taken").as_str(), text);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_mended() {
        for text in NEITHER {
            assert!(!takes::<ReceiverUrl>(&RECEIVER_URL, text), "{text:?}");
            assert!(!takes::<RedirectUri>(&REDIRECT_URI, text), "{text:?}");
        }
    }

    #[test]
    fn plain_http_is_for_literal_loopback_addresses() {
        for text in LOOPBACK_URIS {
            assert!(takes::<RedirectUri>(&REDIRECT_URI, text), "{text}");
            assert!(takes::<ReceiverUrl>(&RECEIVER_URL, text), "{text}");
        }
        for text in NO_LOOPBACK {
            assert!(!takes::<ReceiverUrl>(&RECEIVER_URL, text), "{text}");
            assert!(!takes::<RedirectUri>(&REDIRECT_URI, text), "{text}");
        }
    }

    #[test]
    fn labels_and_wholes_have_a_greatest_length() {
        for (label, fits) in [(63, true), (64, false)] {
            for host in [format!("{}.example", "a".repeat(label)), "a".repeat(label)] {
                assert_eq!(takes::<ReceiverUrl>(&RECEIVER_URL, &format!("https://{host}/")), fits, "{host}");
            }
        }
        let of_length = |length: usize| format!("{:a<length$}", "https://a.example/");
        for (length, url, redirect) in
            [(2000, true, true), (2001, true, false), (2048, true, false), (2049, false, false)]
        {
            assert_eq!(takes::<ReceiverUrl>(&RECEIVER_URL, &of_length(length)), url, "{length}");
            assert_eq!(takes::<RedirectUri>(&REDIRECT_URI, &of_length(length)), redirect, "{length}");
        }
    }

    #[test]
    fn a_base_url_ends_where_paths_can_be_put_behind_it() {
        for (text, path) in [
            ("https://a.example", Some("")),
            ("http://127.0.0.1:8080", Some("")),
            ("http://localhost:8080", Some("")),
            ("https://a.example/tenant/a", Some("/tenant/a")),
            ("https://a.example/", None),
            ("https://a.example?b", None),
            ("https://user@a.example", None),
            ("https://a.example/#", None),
            ("https://a.example\\b", None),
            ("ftp://a.example", None),
            ("https:a.example", None),
            ("nonsense", None),
        ] {
            assert_eq!(base_url_path(text), path, "{text}");
        }
    }

    proptest! {
        /// Parts that are nearly right, so that many of the whole are.
        #[test]
        fn the_schema_and_the_service_agree_on_any_text(
            scheme in prop_oneof![4 => Just("https://"), 2 => Just("http://"), 1 => Just("https:"), 1 => Just("")],
            host in r"(127\.0\.0\.1|\[::1\]|\[[0-9a-f:.]{0,8}\]|([a-z0-9_%*-]{0,4}\.){0,3}[a-z0-9.-]{0,4}|[0-9]{1,4}(\.[0-9]{1,3}){1,4})",
            port in "(|:[0-9]{0,6})",
            rest in r"(|[/?#][a-z%0-9#?\[\]@: -]{0,8}|\PC{0,3})",
        ) {
            let text = format!("{scheme}{host}{port}{rest}");
            takes::<ReceiverUrl>(&RECEIVER_URL, &text);
            takes::<RedirectUri>(&REDIRECT_URI, &text);
        }
    }
}
