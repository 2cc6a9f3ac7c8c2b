//! Page cursors. A cursor carries an offset and a check over the list that it was made for, so
//! that a cursor of another list, other filters or somebody's own making is refused.

use crate::engine::digest::Frame;
use crate::engine::errors::invalid;
use argus_openapi::types::common::PAGE_LIMIT_MAX;
use argus_openapi::types::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The items of one page and the cursor of the next.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// Cuts a page out of a list. `list` names the list with its filters.
pub(crate) fn page<T>(items: Vec<T>, list: &str, cursor: Option<&str>, limit: u32) -> Result<Page<T>, Error> {
    let start = match cursor {
        None => 0,
        Some(cursor) => read(list, cursor)
            .ok_or_else(|| invalid("`cursor` is not a cursor of this list; start again without one"))?,
    };
    let total = items.len();
    // The contract bounds the limit; a page of nothing would be a page that leads to itself.
    let items: Vec<T> = items.into_iter().skip(start).take(limit.clamp(1, PAGE_LIMIT_MAX) as usize).collect();
    let next = start + items.len();
    let next_cursor = (next < total).then(|| write(list, next));
    Ok(Page { items, next_cursor })
}

fn write(list: &str, offset: usize) -> String {
    let offset = (offset as u32).to_be_bytes();
    let mut bytes = offset.to_vec();
    bytes.extend_from_slice(&check(list, offset));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read(list: &str, cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (offset, given) = bytes.split_first_chunk::<4>()?;
    (given == check(list, *offset)).then_some(u32::from_be_bytes(*offset) as usize)
}

fn check(list: &str, offset: [u8; 4]) -> [u8; 8] {
    let mut frame = Frame::new("cursor");
    frame.part(list.as_bytes());
    frame.part(&offset);
    frame.finish().tail().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list() {
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = page((0..10).collect(), "numbers", cursor.as_deref(), 3).expect("own cursor");
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        let own = page((0..10).collect(), "numbers", None, 3).expect("no cursor").next_cursor.expect("more");
        assert!(page((0..10).collect(), "other numbers", Some(&own), 3).is_err());
        for foreign in
            ["", "AAAA", "eyJvIjoxfQ", "AAAAAwAAAAAAAAAA", "%", &format!("{own}A"), &own.to_lowercase()]
        {
            assert!(page((0..10).collect(), "numbers", Some(foreign), 3).is_err(), "{foreign}");
        }
    }
}
