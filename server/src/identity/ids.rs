//! Fresh identifiers: ULIDs from the operating system's randomness.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use chrono::Utc;
use ulid::Ulid;

/// `N` random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// A fresh ULID.
pub(super) fn ulid() -> Result<Ulid, Unspecified> {
    let milliseconds = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0);
    Ok(Ulid::from_parts(milliseconds, u128::from_be_bytes(random()?)))
}

/// A fresh identifier with a prefix that says what it names, as in `app_01hfxy…`.
pub(super) fn prefixed(prefix: &str) -> Result<String, Unspecified> {
    Ok(format!("{prefix}_{}", ulid()?.to_string().to_ascii_lowercase()))
}
