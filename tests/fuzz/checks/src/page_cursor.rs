//! Cursors of the app list. The input is a cursor as it comes; then, the first eight bytes a moment and
//! the rest a client id, it is a position to seal; then it is edits of that position's cursor.
//!
//! What decodes encodes to the same text, every position survives its cursor, and a cursor of another
//! tenant or with any edit is refused.

use crate::edits::edited;
use argus_server::identity::Pepper;
use argus_server::identity::page_cursor::{decode, encode};
use argus_server::store::apps::AppPosition;
use chrono::DateTime;
use std::sync::LazyLock;

static PEPPER: LazyLock<Pepper> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory for the pepper");
    Pepper::open(directory.path()).expect("a new pepper")
});

const TENANT: &str = "tnt_1";

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    if let Ok(cursor) = std::str::from_utf8(input) {
        check_cursor(cursor);
    }
    let Some((micros, client_id)) = input.split_first_chunk::<8>() else { return };
    let Some(created_at) = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)) else { return };
    let client_id = String::from_utf8_lossy(client_id).into_owned();
    let position = AppPosition { created_at: created_at.naive_utc(), client_id };
    let cursor = encode(&PEPPER, TENANT, &position);
    assert!(decode(&PEPPER, TENANT, &cursor).is_ok_and(|decoded| decoded == position), "{position:?}");
    assert!(decode(&PEPPER, "tnt_2", &cursor).is_err(), "another tenant's cursor: {position:?}");
    if let Ok(other) = String::from_utf8(edited(&cursor, input)) {
        assert!(other == cursor || decode(&PEPPER, TENANT, &other).is_err(), "{cursor:?} as {other:?}");
    }
}

fn check_cursor(cursor: &str) {
    if let Ok(position) = decode(&PEPPER, TENANT, cursor) {
        assert_eq!(encode(&PEPPER, TENANT, &position), cursor);
    }
}
