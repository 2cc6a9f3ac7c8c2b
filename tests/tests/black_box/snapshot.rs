//! Snapshots: where they are kept, and what never gets into one.

/// Compares a text with the snapshot `snapshots/<name>.snap` at the root of the repository.
macro_rules! snapshot {
    ($name:expr, $text:expr) => {{
        let text: String = $text;
        $crate::black_box::snapshot::assert_free_of_secrets(&text);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, text));
    }};
}

/// Marks of secrets: the beginning of every token, of a private key, and of what the stores hold.
const MARKS: [&str; 5] = ["eyJ0eXAi", "eyJhbGci", "PRIVATE KEY", "client_secret\":", "Bearer ey"];

/// Asserts that a text may be committed.
pub(crate) fn assert_free_of_secrets(text: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{mark:?} must not get into a snapshot");
    }
}
