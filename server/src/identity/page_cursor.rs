//! Opaque cursors of list pages: a position in the list, sealed for one tenant.

use super::pepper::Pepper;
use crate::problem::{Outcome, Problem};
use crate::store::apps::AppPosition;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use subtle::ConstantTimeEq;

const SEAL_LENGTH: usize = 16;
const PURPOSE: &str = "app_list_cursor";

/// The cursor of the page behind `position`.
pub fn encode(pepper: &Pepper, tenant_id: &str, position: &AppPosition) -> String {
    let content = format!("{}:{}", position.created_at.and_utc().timestamp_micros(), position.client_id);
    let mut bytes = pepper.seal(PURPOSE, &[tenant_id, &content])[..SEAL_LENGTH].to_vec();
    bytes.extend_from_slice(content.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor that [`encode`] made for the same tenant, and refuses any other text.
pub fn decode(pepper: &Pepper, tenant_id: &str, cursor: &str) -> Outcome<AppPosition> {
    position(pepper, tenant_id, cursor)
        .ok_or_else(|| Problem::invalid("`cursor` is not a cursor of this list; start again without one"))
}

fn position(pepper: &Pepper, tenant_id: &str, cursor: &str) -> Option<AppPosition> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (seal, content) = bytes.split_at_checked(SEAL_LENGTH)?;
    let content = std::str::from_utf8(content).ok()?;
    let expected = pepper.seal(PURPOSE, &[tenant_id, content]);
    if !bool::from(expected[..SEAL_LENGTH].ct_eq(seal)) {
        return None;
    }
    let (micros, client_id) = content.split_once(':')?;
    let created_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?.naive_utc();
    Some(AppPosition { created_at, client_id: client_id.to_owned() })
}
