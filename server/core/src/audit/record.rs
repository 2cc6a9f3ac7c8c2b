//! An entry with its place in its chain: what of it is hashed, and how it is shown to whoever checks it.
//!
//! What is hashed is the RFC 8785 text of an object, because any language has that in a few lines, no two lists of
//! members run together into the same bytes, and an export can show it as it is. Members that an entry does not have are
//! left out, so that a column that comes later changes no hash of before. The member `format` says which rules count.

use super::Chain;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_wire::{canonical, hex};
use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
use serde_json::{Map, Value};

/// The rules by which entries are hashed.
pub const FORMAT: &str = "argus.audit.entry.1";
/// What stands for the hash before the first one.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The columns of a [`Record`].
pub(super) const COLUMNS: &str = "id, occurred_at, tenant_id, environment, actor, user_id, action, subject, \
    secrecy_level, occurrences, sequence, previous_hash, hash";

/// An entry as it stands in the database, whoever has written there.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Record {
    /// Its identifier.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// When it happened.
    #[diesel(sql_type = Timestamp)]
    pub occurred_at: NaiveDateTime,
    /// Tenant whose data was touched.
    #[diesel(sql_type = Text)]
    pub tenant_id: String,
    /// Where it happened.
    #[diesel(sql_type = Text)]
    pub environment: String,
    /// Who acted.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// On whose behalf.
    #[diesel(sql_type = Nullable<Text>)]
    pub user_id: Option<String>,
    /// What was done.
    #[diesel(sql_type = Text)]
    pub action: String,
    /// To what.
    #[diesel(sql_type = Text)]
    pub subject: String,
    /// Secrecy of the entry.
    #[diesel(sql_type = Text)]
    pub secrecy_level: String,
    /// How often.
    #[diesel(sql_type = BigInt)]
    pub occurrences: i64,
    /// Its place in the chain.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub sequence: Option<i64>,
    /// Hash of the entry before it.
    #[diesel(sql_type = Nullable<Text>)]
    pub previous_hash: Option<String>,
    /// Its own hash.
    #[diesel(sql_type = Nullable<Text>)]
    pub hash: Option<String>,
}

/// Names of the members of an entry and its place, as an export in CSV has them.
pub const MEMBERS: [&str; 13] = [
    "tenant_id",
    "environment",
    "sequence",
    "id",
    "occurred_at",
    "actor",
    "user_id",
    "action",
    "subject",
    "secrecy_level",
    "occurrences",
    "previous_hash",
    "hash",
];

impl Record {
    /// What is hashed when it has this place.
    fn members(&self, sequence: i64, previous_hash: &str) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        add("format", FORMAT.into());
        add("tenant_id", self.tenant_id.as_str().into());
        add("environment", self.environment.as_str().into());
        add("sequence", sequence.into());
        add("previous_hash", previous_hash.into());
        add("id", self.id.as_str().into());
        add("occurred_at", moment(self.occurred_at).into());
        add("actor", self.actor.as_str().into());
        self.user_id.as_deref().into_iter().for_each(|user_id| add("user_id", user_id.into()));
        add("action", self.action.as_str().into());
        add("subject", self.subject.as_str().into());
        add("secrecy_level", self.secrecy_level.as_str().into());
        add("occurrences", self.occurrences.into());
        members
    }

    /// Its hash when it has this place.
    pub(super) fn hash_at(&self, sequence: i64, previous_hash: &str) -> String {
        let mut text = Vec::new();
        canonical::write_object(&mut text, &self.members(sequence, previous_hash));
        hex::encode(digest(&SHA256, &text).as_ref())
    }

    /// Its place, if it has one.
    pub fn sequence(&self) -> i64 {
        self.sequence.unwrap_or_default()
    }

    pub(super) fn previous_hash(&self) -> &str {
        self.previous_hash.as_deref().unwrap_or_default()
    }

    pub(super) fn hash(&self) -> &str {
        self.hash.as_deref().unwrap_or_default()
    }

    /// As an object: what is hashed, and its hash.
    pub(super) fn to_object(&self) -> Map<String, Value> {
        let mut members = self.members(self.sequence(), self.previous_hash());
        members.insert("hash".to_owned(), self.hash().into());
        members
    }
}

/// A moment as it is hashed: always with six digits, whatever a database leaves away.
fn moment(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The linked entries of a chain behind a place, in their order.
pub(super) fn page(
    connection: &mut AnyConnection,
    chain: &Chain,
    behind: i64,
    limit: i64,
) -> QueryResult<Vec<Record>> {
    let page = format!(
        "SELECT {COLUMNS} FROM audit_events WHERE tenant_id = ? AND environment = ? AND sequence > ? \
         ORDER BY sequence LIMIT ?"
    );
    let statement = Statement::new(page)
        .bind::<Text, _>(&*chain.tenant_id)
        .bind::<Text, _>(&*chain.environment)
        .bind::<BigInt, _>(behind)
        .bind::<BigInt, _>(limit);
    on_engine!(connection, |inner| statement.load(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            id: "01KR3QAYG000NQXEP345ZBWWK5".to_owned(),
            occurred_at: "2026-12-01T10:00:00.5".parse().expect("a moment"),
            tenant_id: "tnt_1".to_owned(),
            environment: "live".to_owned(),
            actor: "operator".to_owned(),
            user_id: None,
            action: "app.create".to_owned(),
            subject: "app_\"é\"".to_owned(),
            secrecy_level: "standard".to_owned(),
            occurrences: 1,
            sequence: None,
            previous_hash: None,
            hash: None,
        }
    }

    /// Made with Python's `hashlib` from the text below.
    #[test]
    fn the_hash_is_that_of_the_canonical_text() {
        let text = format!(
            "{{\"action\":\"app.create\",\"actor\":\"operator\",\"environment\":\"live\",\
             \"format\":\"argus.audit.entry.1\",\"id\":\"01KR3QAYG000NQXEP345ZBWWK5\",\
             \"occurred_at\":\"2026-12-01T10:00:00.500000Z\",\"occurrences\":1,\"previous_hash\":\"{NO_HASH}\",\
             \"secrecy_level\":\"standard\",\"sequence\":1,\"subject\":\"app_\\\"é\\\"\",\"tenant_id\":\"tnt_1\"}}"
        );
        let mut canonical = Vec::new();
        canonical::write_object(&mut canonical, &record().members(1, NO_HASH));
        assert_eq!(String::from_utf8(canonical).expect("text"), text);
        assert_eq!(
            record().hash_at(1, NO_HASH),
            "ea73901956e3fc815b63588d9da5bcd79da243d86d037e7b37cfa3ded27d9f52"
        );
    }

    #[test]
    fn whatever_is_said_of_an_entry_and_its_place_is_in_its_hash() {
        let hash = |change: fn(&mut Record)| {
            let mut changed = record();
            change(&mut changed);
            changed.hash_at(1, NO_HASH)
        };
        let mut hashes =
            vec![record().hash_at(1, NO_HASH), record().hash_at(2, NO_HASH), record().hash_at(1, "")];
        hashes.extend([
            hash(|record| record.id.push('x')),
            hash(|record| record.occurred_at += chrono::TimeDelta::microseconds(1)),
            hash(|record| record.tenant_id.push('x')),
            hash(|record| record.environment.push('x')),
            hash(|record| record.actor.push('x')),
            hash(|record| record.user_id = Some(String::new())),
            hash(|record| record.action.push('x')),
            hash(|record| record.subject.push('x')),
            hash(|record| record.secrecy_level.push('x')),
            hash(|record| record.occurrences += 1),
        ]);
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
