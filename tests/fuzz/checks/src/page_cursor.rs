//! Cursors of a list by moment, as every list has them. The input is a cursor as it comes; then, the first eight bytes a moment and
//! the rest an identifier, it is a position to seal; then it is edits of that position's cursor.
//!
//! What decodes encodes to the same text, every position survives its cursor, and a cursor of another
//! tenant or with any edit is refused.

use crate::edits::edited;
use argus_core::ids::TenantId;
use argus_core::page::{Moment, Position, open, seal};
use argus_core::pepper::Pepper;
use chrono::DateTime;
use std::sync::LazyLock;

static PEPPER: LazyLock<Pepper> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory for the pepper");
    Pepper::open(directory.path()).expect("a new pepper")
});

static TENANTS: LazyLock<[TenantId; 2]> =
    LazyLock::new(|| ["tnt_1", "tnt_2"].map(|id| id.parse().expect("a tenant id")));

/// A list of items with any text as their identifier.
#[derive(Debug, PartialEq, Eq)]
struct AnyItem(Moment<String>);

impl Position for AnyItem {
    const LIST: &'static str = "fuzz_list_cursor";

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn from_text(text: &str) -> Option<Self> {
        Moment::from_text(text).map(Self)
    }
}

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [tenant, other_tenant] = &*TENANTS;
    if let Ok(cursor) = std::str::from_utf8(input)
        && let Ok(position) = open::<AnyItem>(&PEPPER, tenant, cursor)
    {
        assert_eq!(seal(&PEPPER, tenant, &position), cursor);
    }
    let Some((micros, id)) = input.split_first_chunk::<8>() else { return };
    let Some(at) = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)) else { return };
    let id = String::from_utf8_lossy(id).into_owned();
    let position = AnyItem(Moment { at: at.naive_utc(), id });
    let cursor = seal(&PEPPER, tenant, &position);
    assert!(open(&PEPPER, tenant, &cursor).is_ok_and(|opened: AnyItem| opened == position), "{position:?}");
    assert!(
        open::<AnyItem>(&PEPPER, other_tenant, &cursor).is_err(),
        "another tenant's cursor: {position:?}"
    );
    if let Ok(other) = String::from_utf8(edited(&cursor, input)) {
        assert!(
            other == cursor || open::<AnyItem>(&PEPPER, tenant, &other).is_err(),
            "{cursor:?} as {other:?}"
        );
    }
}
