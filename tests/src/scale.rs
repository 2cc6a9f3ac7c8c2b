//! How large a test is: short in CI, whole in `cargo xtask chaos`.

/// Set for what takes minutes.
const WHOLE: &str = "ARGUS_CHAOS";

/// One of two sizes of the same test.
pub fn scale<T>(short: T, whole: T) -> T {
    if std::env::var_os(WHOLE).is_some() { whole } else { short }
}
