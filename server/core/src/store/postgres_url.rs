//! The URL of a PostgreSQL server, checked so far that libpq and this module agree on where its password
//! is. libpq quotes what it cannot read, so that it never gets such a URL.

use super::engine::{Use, postgres};
use super::error::OpenError;
use super::settings::Deadlines;
use diesel::PgConnection;
use percent_encoding::percent_decode_str;
use std::fmt;

const AUTHORITY: OpenError = OpenError::Url(
    "what stands before the path is not USER:PASSWORD@HOST:PORT; in user and password, `@ : / ? # %` and \
     spaces are percent-encoded",
);
const QUERY: OpenError = OpenError::Url(
    "what stands behind `?` is not KEY=VALUE&KEY=VALUE; in values, `= & @ # %` are percent-encoded",
);

/// A URL that libpq understands. It may hold a password, hence no `Debug` that shows it.
#[derive(Clone)]
pub(super) struct PostgresUrl {
    url: String,
    /// Who connects, where it says so.
    user: Option<String>,
    /// What no error may repeat.
    secrets: Vec<String>,
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresUrl")
    }
}

impl PostgresUrl {
    /// Checks what stands behind `postgres://`.
    pub(super) fn parse(rest: &str) -> Result<Self, OpenError> {
        if rest.contains(|c: char| c == '#' || c.is_whitespace()) || !has_whole_escapes(rest) {
            return Err(OpenError::Url("it holds `#`, a space or a `%` that must be percent-encoded"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        if path.chars().skip(1).any(|c| "/@:".contains(c)) {
            return Err(OpenError::Url(
                "the path is not one name of a database; in user and password, `/` is %2F",
            ));
        }
        let mut secrets = password(authority)?.into_iter().collect::<Vec<_>>();
        let mut user = authority.split_once('@').and_then(|(user, _)| user.split(':').next());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(QUERY)?;
            let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !is_key || value.contains(['=', '@']) {
                return Err(QUERY);
            }
            if key.contains("password") || key.contains("secret") {
                secrets.push(value);
            }
            // libpq takes it before the one that stands in front of the host.
            if key == "user" {
                user = Some(value);
            }
        }
        let decoded = |text: &&str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut secrets: Vec<String> =
            secrets.iter().map(decoded).chain(secrets.iter().map(ToString::to_string)).collect();
        secrets.retain(|secret| !secret.is_empty());
        let user = user.filter(|user| !user.is_empty()).map(|user| decoded(&user));
        // libpq knows the scheme in small letters alone.
        Ok(Self { url: format!("postgres://{rest}"), user, secrets })
    }

    /// Whether it holds a password.
    pub(super) fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Who connects, where it says so.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The port that connections lead to.
    pub(super) fn port(&self) -> u16 {
        postgres::port(&self.url)
    }

    /// Opens one connection. Its error does not repeat a password, whoever wrote it.
    pub(super) fn connect(&self, purpose: Use, deadlines: &Deadlines) -> Result<PgConnection, OpenError> {
        postgres::connect(&self.url, purpose, deadlines).map_err(|error| match error {
            OpenError::Connect(reason) => {
                OpenError::Connect(self.secrets.iter().fold(reason, |text, secret| text.replace(secret, "…")))
            }
            other => other,
        })
    }
}

/// The password of `USER:PASSWORD@HOST:PORT,HOST:PORT`, as it is written.
fn password(authority: &str) -> Result<Option<&str>, OpenError> {
    let (user, hosts) = match authority.split_once('@') {
        Some((user, hosts)) => (Some(user), hosts),
        None => (None, authority),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |host: &str| match host.strip_prefix('[').map(|literal| literal.split_once(']')) {
        Some(Some((address, port))) => {
            address.parse::<std::net::Ipv6Addr>().is_ok()
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        }
        Some(None) => false,
        None => host.split_once(':').is_none_or(|(_, port)| is_port(port)),
    };
    if hosts.contains('@') || !hosts.split(',').all(fits) {
        return Err(AUTHORITY);
    }
    Ok(user.and_then(|user| user.split_once(':')).map(|(_, password)| password))
}

/// Whether two hexadecimal digits follow each `%`, and no escape stands for a zero byte.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|behind| {
        behind.len() >= 2
            && behind.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
            && !behind.starts_with("00")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libpq_understands_is_taken_and_its_passwords_are_known() {
        for (rest, secrets) in [
            ("", &[][..]),
            ("/argus", &[]),
            ("db", &[]),
            ("argus@db:5432/argus", &[]),
            ("argus:hunter2@db/argus", &["hunter2", "hunter2"]),
            ("argus:hun:ter2@db/argus", &["hun:ter2", "hun:ter2"]),
            ("argus:p%40ss@db/argus", &["p@ss", "p%40ss"]),
            ("argus@a:1,b,[::1]:2/argus?password=hunter2&sslmode=require", &["hunter2", "hunter2"]),
            ("/argus?host=/var/run/postgresql&options=-csearch_path%3Dargus", &[]),
            ("%2Fvar%2Frun/argus?sslpassword=hunter2", &["hunter2", "hunter2"]),
        ] {
            assert_eq!(PostgresUrl::parse(rest).expect(rest).secrets, secrets, "{rest}");
        }
    }

    #[test]
    fn the_user_is_the_one_that_libpq_takes() {
        for (rest, user) in [
            ("", None),
            ("db/argus", None),
            (":hunter2@db/argus", None),
            ("argus@db/argus", Some("argus")),
            ("argus:hunter2@db/argus", Some("argus")),
            ("a%22b@db/argus", Some("a\"b")),
            ("argus@db/argus?user=other%20one", Some("other one")),
        ] {
            assert_eq!(PostgresUrl::parse(rest).expect(rest).user(), user, "{rest}");
        }
    }
}
