//! Keyset pages: a list is ordered by a position, a page continues behind one, and the position goes to
//! the caller as an opaque cursor that is sealed for the list and the tenant. Every list uses this.

use crate::error::Error;
use crate::ids::TenantId;
use crate::pepper::Pepper;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime};
use std::str::FromStr;
use subtle::ConstantTimeEq;

const SEAL_LENGTH: usize = 16;

/// Where an item stands in its list.
pub trait Position: Sized {
    /// What the cursors of this list are sealed for; no other list has the same.
    const LIST: &'static str;

    /// The position as text.
    fn to_text(&self) -> String;

    /// Reads what [`Self::to_text`] wrote.
    fn from_text(text: &str) -> Option<Self>;
}

/// A position by time, and by identifier among items of the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment<Id> {
    /// The item's moment, to the microsecond.
    pub at: NaiveDateTime,
    /// The item.
    pub id: Id,
}

impl<Id: ToString + FromStr> Moment<Id> {
    /// The position as text.
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.at.and_utc().timestamp_micros(), self.id.to_string())
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once(':')?;
        let at = DateTime::from_timestamp_micros(micros.parse().ok()?)?.naive_utc();
        Some(Self { at, id: id.parse().ok()? })
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Cursor of the next page; none on the last one.
    pub next_cursor: Option<String>,
}

/// What a caller asked for: how many items, behind which position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<P> {
    /// The last item of the page before.
    pub after: Option<P>,
    limit: u32,
}

impl<P: Position> PageRequest<P> {
    /// A page of `limit` items behind a cursor that [`Self::page`] made for the same tenant.
    pub fn new(
        pepper: &Pepper,
        tenant_id: &TenantId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Self, Error> {
        let after = cursor.map(|cursor| open(pepper, tenant_id, cursor)).transpose()?;
        Ok(Self { after, limit })
    }

    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// How many items a query must find: one more than the page holds tells whether there is a next one.
    pub fn query_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page of what a query found.
    pub fn page<T>(
        &self,
        pepper: &Pepper,
        tenant_id: &TenantId,
        mut found: Vec<T>,
        position: impl FnOnce(&T) -> P,
    ) -> Page<T> {
        let more = found.len() > self.limit as usize;
        found.truncate(self.limit as usize);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(|last| seal(pepper, tenant_id, &position(last)));
        Page { items: found, next_cursor }
    }
}

/// The cursor of the page behind `position`.
pub fn seal<P: Position>(pepper: &Pepper, tenant_id: &TenantId, position: &P) -> String {
    let content = position.to_text();
    let mut bytes = pepper.seal(P::LIST, &[tenant_id.as_str(), &content])[..SEAL_LENGTH].to_vec();
    bytes.extend_from_slice(content.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor that [`seal`] made for the same list and tenant, and refuses any other text.
pub fn open<P: Position>(pepper: &Pepper, tenant_id: &TenantId, cursor: &str) -> Result<P, Error> {
    let foreign =
        || Error::Invalid("`cursor` is not a cursor of this list; start again without one".to_owned());
    opened(pepper, tenant_id, cursor).ok_or_else(foreign)
}

fn opened<P: Position>(pepper: &Pepper, tenant_id: &TenantId, cursor: &str) -> Option<P> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (given, content) = bytes.split_at_checked(SEAL_LENGTH)?;
    let content = std::str::from_utf8(content).ok()?;
    let expected = pepper.seal(P::LIST, &[tenant_id.as_str(), content]);
    if !bool::from(expected[..SEAL_LENGTH].ct_eq(given)) {
        return None;
    }
    P::from_text(content)
}
