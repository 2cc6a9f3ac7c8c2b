//! Whether the chains are as they were linked: what was changed, removed, put elsewhere or cut off is named.
//!
//! A chain is checked from its checkpoint, or from its beginning, to the head that was read first; the linker and the
//! sweeper may go on meanwhile. Memory does not grow with its length.

use super::chain::{self, Chain, Key, Mark, Marked};
use super::record::{self, NO_HASH, Record};
use crate::error::Error;
use crate::ids::TenantId;
use crate::store::statement::{Statement, on_engine};
use crate::store::{AnyConnection, Database};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How many entries are read at a time.
const PAGE: i64 = 1_000;
/// How many faults of a chain are named.
const NAMED: usize = 100;

/// Which chains are checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only those of this tenant.
    pub tenant_id: Option<TenantId>,
    /// Only those of this environment.
    pub environment: Option<super::Environment>,
}

impl Selection {
    /// Whether a chain is among them.
    pub fn has(&self, chain: &Chain) -> bool {
        self.tenant_id.as_ref().is_none_or(|tenant_id| tenant_id.as_str() == chain.tenant_id)
            && self.environment.is_none_or(|environment| environment.as_str() == chain.environment)
    }
}

/// A place of a chain and the hash there, as somebody has noted it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The chain.
    pub chain: Chain,
    /// The place.
    pub sequence: i64,
    /// The hash.
    pub hash: String,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// An entry is not as it was linked.
    Changed {
        /// Its place.
        sequence: i64,
        /// Its identifier.
        id: String,
    },
    /// An entry cannot even be read.
    Unreadable {
        /// Its place.
        sequence: i64,
    },
    /// An entry was hashed anew: the next one follows another.
    Replaced {
        /// Its place.
        sequence: i64,
    },
    /// An entry stands where another one was linked.
    Moved {
        /// Its identifier.
        id: String,
        /// Where it stands.
        sequence: i64,
        /// Where it was linked.
        linked_at: i64,
    },
    /// Entries between others are gone.
    Removed {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// The newest entries are gone.
    CutOff {
        /// The first of them.
        first: i64,
        /// The last of them, as the head says.
        last: i64,
    },
    /// Entries have places that no head has given out.
    BehindHead {
        /// The first of them.
        first: i64,
    },
    /// The chain is gone with its head, though its tenant is there.
    Gone,
    /// There is no head.
    NoHead,
    /// The head is not as this installation has signed it.
    ForgedHead,
    /// The checkpoint is not as this installation has signed it.
    ForgedCheckpoint,
    /// A place does not have the hash that was noted elsewhere.
    NotAsKnown {
        /// The place.
        sequence: i64,
    },
    /// Entries have been waiting for their place for too long.
    Unlinked {
        /// How many wait.
        count: i64,
        /// The oldest of them.
        id: String,
        /// How long it has waited, in seconds.
        seconds: i64,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence, id } => write!(f, "changed: entry {sequence} ({id})"),
            Self::Unreadable { sequence } => write!(f, "changed: entry {sequence} cannot be read"),
            Self::Replaced { sequence } => {
                write!(f, "changed: entry {sequence} was hashed anew, for what follows names another hash")
            }
            Self::Moved { id, sequence, linked_at } => {
                write!(f, "reordered: {id} stands as entry {sequence} and was linked as entry {linked_at}")
            }
            Self::Removed { first, last } => write!(f, "removed: entries {first} to {last}"),
            Self::CutOff { first, last } => write!(f, "cut off: entries {first} to {last}, the newest"),
            Self::BehindHead { first } => write!(f, "added: entry {first} and what follows, behind the head"),
            Self::Gone => f.write_str("removed: the whole chain with its head"),
            Self::NoHead => f.write_str("removed: the head"),
            Self::ForgedHead => f.write_str("changed: the head, which this installation has not signed so"),
            Self::ForgedCheckpoint => {
                f.write_str("changed: the checkpoint, which this installation has not signed so")
            }
            Self::NotAsKnown { sequence } => {
                write!(f, "changed: entry {sequence} does not have the hash that is known of it")
            }
            Self::Unlinked { count, id, seconds } => {
                write!(f, "unlinked: {count} entries, the oldest ({id}) for {seconds} s")
            }
        }
    }
}

/// What a check of a chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The chain.
    pub chain: Chain,
    /// Up to where it was pruned; 0 where it never was.
    pub pruned: i64,
    /// Its newest place, as the head says.
    pub sequence: i64,
    /// The hash there.
    pub hash: String,
    /// How many entries were checked.
    pub checked: u64,
    /// How many entries have no place yet.
    pub unlinked: i64,
    /// How long the oldest of these has waited, in seconds.
    pub unlinked_seconds: i64,
    /// What is wrong, the first defects of many.
    pub defects: Vec<Defect>,
    /// Whether there are more than are named.
    pub has_more: bool,
}

/// Checks chains one after the other.
#[derive(Clone)]
pub struct Verifier {
    database: Database,
    key: Arc<Key>,
    /// The time, as entries tell it.
    now: NaiveDateTime,
    /// How long an entry may wait for its place.
    patience: TimeDelta,
    known: Vec<Known>,
}

impl Verifier {
    /// Checks what this database holds, as the one with this key has linked it.
    pub fn new(database: Database, key: Arc<Key>, now: NaiveDateTime, patience: TimeDelta) -> Self {
        Self { database, key, now, patience, known: Vec::new() }
    }

    /// The same, that also holds the chains against what was noted elsewhere: whoever may write to the database cannot
    /// write there.
    #[must_use]
    pub fn knowing(self, known: Vec<Known>) -> Self {
        Self { known, ..self }
    }

    /// The chains among these that have anything, or should have.
    pub async fn verify(&self, selection: &Selection) -> Result<Vec<Verdict>, Error> {
        let mut chains =
            self.database.read_every_tenant(|connection| Ok::<_, Error>(chain::all(connection)?)).await?;
        let waiting =
            self.database.read_every_tenant(|connection| Ok::<_, Error>(waiting(connection)?)).await?;
        let waiting: BTreeMap<Chain, Waiting> =
            waiting.into_iter().map(|waiting| (waiting.chain.clone(), waiting)).collect();
        // What is known of a chain that is gone counts as well.
        chains.extend(self.known.iter().map(|known| known.chain.clone()));
        chains.sort();
        chains.dedup();
        let mut verdicts = Vec::new();
        for chain in chains.into_iter().filter(|chain| selection.has(chain)) {
            let waiting = waiting.get(&chain);
            verdicts.extend(self.verify_chain(chain, waiting).await?);
        }
        Ok(verdicts)
    }

    async fn verify_chain(&self, chain: Chain, waiting: Option<&Waiting>) -> Result<Option<Verdict>, Error> {
        let marked = |mark| {
            let chain = chain.clone();
            self.database
                .read_every_tenant(move |connection| Ok::<_, Error>(chain::find(connection, mark, &chain)?))
        };
        // The head first: what is linked and pruned from now on belongs to the next check.
        let head = marked(Mark::Head).await?;
        let mut walk = Walk::default();
        let pruned = self.begin(&mut walk, marked(Mark::Checkpoint).await?);
        let (mut checked, newest) = (0, head.as_ref().map_or(0, |head| head.sequence));
        while walk.expected <= newest {
            let (of, behind) = (chain.clone(), walk.expected - 1);
            let page = self
                .database
                .read_every_tenant(move |connection| Ok::<_, Error>(read(connection, &of, behind, PAGE)?))
                .await?;
            // What was pruned meanwhile was not removed.
            if page.first().is_none_or(|first| first.sequence() > walk.expected) {
                let checkpoint = marked(Mark::Checkpoint).await?;
                let newer = checkpoint.filter(|checkpoint| checkpoint.sequence >= walk.expected);
                if newer.is_some() {
                    self.begin(&mut walk, newer);
                    continue;
                }
            }
            let before = checked;
            for read in page.into_iter().take_while(|read| read.sequence() <= newest) {
                walk.step(read);
                checked += 1;
            }
            if checked == before {
                break;
            }
        }
        let is_linked = self.end(&mut walk, &chain, head.as_ref()).await?;
        self.compare(&mut walk, &chain).await?;
        let seconds = waiting.map_or(0, |waiting| waiting.seconds(self.now));
        if let Some(waiting) = waiting.filter(|_| seconds > self.patience.num_seconds()) {
            let (count, id) = (waiting.count, waiting.oldest.clone());
            walk.note(Defect::Unlinked { count, id, seconds });
        }
        if head.is_none() && !is_linked && waiting.is_none() {
            // Every tenant has the entry of its creation, and may never have called the sandbox.
            if chain.environment != super::Environment::LIVE {
                return Ok(None);
            }
            walk.note(Defect::Gone);
        }
        let (defects, has_more) = walk.into_defects();
        Ok(Some(Verdict {
            sequence: head.as_ref().map_or(0, |head| head.sequence),
            hash: head.map_or_else(|| NO_HASH.to_owned(), |head| head.hash),
            unlinked: waiting.map_or(0, |waiting| waiting.count),
            unlinked_seconds: seconds,
            chain,
            pruned,
            checked,
            defects,
            has_more,
        }))
    }

    /// Holds a chain against what was noted elsewhere. Of what was pruned nothing but the checkpoint is left.
    async fn compare(&self, walk: &mut Walk, chain: &Chain) -> Result<(), Error> {
        for known in self.known.iter().filter(|known| known.chain == *chain && known.sequence > 0).cloned() {
            let sequence = known.sequence;
            let look = move |connection: &mut AnyConnection| {
                let checkpoint = chain::find(connection, Mark::Checkpoint, &known.chain)?;
                if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.sequence >= sequence) {
                    return Ok(checkpoint.sequence > sequence || checkpoint.hash == known.hash);
                }
                let found = read(connection, &known.chain, sequence - 1, 1)?.pop();
                Ok::<_, Error>(matches!(found, Some(Read::Record(record))
                    if record.sequence() == sequence && record.hash() == known.hash))
            };
            if !self.database.read_every_tenant(look).await? {
                walk.note(Defect::NotAsKnown { sequence });
            }
        }
        Ok(())
    }

    /// Lets a walk begin behind a checkpoint, or at the beginning; says where that is.
    fn begin(&self, walk: &mut Walk, checkpoint: Option<Marked>) -> i64 {
        let Some(checkpoint) = checkpoint else { return 0 };
        if !self.key.has_signed(Mark::Checkpoint, &checkpoint) {
            walk.note(Defect::ForgedCheckpoint);
        }
        walk.expected = checkpoint.sequence + 1;
        walk.before = Some(checkpoint.hash);
        checkpoint.sequence
    }

    /// Holds what was found last against the head; says whether there is anything that needs one.
    async fn end(&self, walk: &mut Walk, chain: &Chain, head: Option<&Marked>) -> Result<bool, Error> {
        let of = chain.clone();
        let behind = self
            .database
            .read_every_tenant(move |connection| Ok::<_, Error>(behind_head(connection, &of)?))
            .await?;
        let Some(head) = head else {
            let is_linked = behind.is_some() || walk.expected > 1;
            if is_linked {
                walk.note(Defect::NoHead);
            }
            return Ok(is_linked);
        };
        if !self.key.has_signed(Mark::Head, head) {
            walk.note(Defect::ForgedHead);
        }
        if walk.expected <= head.sequence {
            walk.note(Defect::CutOff { first: walk.expected, last: head.sequence });
        } else if walk.expected == head.sequence + 1 && !walk.is_followed_by(&head.hash) {
            walk.note(Defect::Replaced { sequence: head.sequence });
        }
        if let Some(first) = behind {
            walk.note(Defect::BehindHead { first });
        }
        Ok(true)
    }
}

/// An entry at its place, if it can be read.
enum Read {
    Record(Box<Record>),
    Unreadable(i64),
}

impl Read {
    fn sequence(&self) -> i64 {
        match self {
            Self::Record(record) => record.sequence(),
            Self::Unreadable(sequence) => *sequence,
        }
    }
}

/// The entries of a page. SQLite keeps whatever it is given, which may be no text and no time.
fn read(connection: &mut AnyConnection, chain: &Chain, behind: i64, limit: i64) -> QueryResult<Vec<Read>> {
    const SEQUENCES: &str = "SELECT sequence FROM audit_events WHERE tenant_id = ? AND environment = ? \
        AND sequence > ? ORDER BY sequence LIMIT ?";
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        sequence: i64,
    }
    match record::page(connection, chain, behind, limit) {
        Err(diesel::result::Error::DeserializationError(_)) => {}
        page => return Ok(page?.into_iter().map(|record| Read::Record(record.into())).collect()),
    }
    let statement = Statement::new(SEQUENCES)
        .bind::<Text, _>(&*chain.tenant_id)
        .bind::<Text, _>(&*chain.environment)
        .bind::<BigInt, _>(behind)
        .bind::<BigInt, _>(limit);
    let rows: Vec<Row> = on_engine!(&mut *connection, |inner| statement.load(inner))?;
    let each =
        rows.into_iter().map(|Row { sequence }| match record::page(connection, chain, sequence - 1, 1) {
            Err(diesel::result::Error::DeserializationError(_)) => Ok(Read::Unreadable(sequence)),
            page => Ok(page?.pop().map_or(Read::Unreadable(sequence), |record| Read::Record(record.into()))),
        });
    each.collect()
}

/// A walk along a chain.
struct Walk {
    /// The next place.
    expected: i64,
    /// The hash of the entry before; none behind a gap, and behind an entry that is not as it was linked.
    before: Option<String>,
    defects: Vec<Defect>,
    /// Entries that are not what their hashes say.
    suspects: Vec<Record>,
    has_more: bool,
}

impl Default for Walk {
    fn default() -> Self {
        let before = Some(NO_HASH.to_owned());
        Self { expected: 1, before, defects: Vec::new(), suspects: Vec::new(), has_more: false }
    }
}

impl Walk {
    fn note(&mut self, defect: Defect) {
        if self.defects.len() < NAMED { self.defects.push(defect) } else { self.has_more = true }
    }

    /// Whether what names this hash follows the entry before, as far as that is known.
    fn is_followed_by(&self, previous_hash: &str) -> bool {
        self.before.as_ref().is_none_or(|hash| hash == previous_hash)
    }

    fn step(&mut self, read: Read) {
        let sequence = read.sequence();
        if sequence > self.expected {
            self.note(Defect::Removed { first: self.expected, last: sequence - 1 });
            self.before = None;
        }
        self.expected = sequence + 1;
        let Read::Record(record) = read else {
            self.before = None;
            return self.note(Defect::Unreadable { sequence });
        };
        if record.hash_at(sequence, record.previous_hash()) != record.hash() {
            self.before = None;
            if self.suspects.len() < NAMED {
                self.suspects.push(*record)
            } else {
                self.has_more = true
            }
            return;
        }
        if !self.is_followed_by(record.previous_hash()) {
            self.note(Defect::Replaced { sequence: sequence - 1 });
        }
        self.before = Some(record.hash().to_owned());
    }

    /// All defects, in their order. An entry that is what it should be at the place of another one was moved.
    fn into_defects(self) -> (Vec<Defect>, bool) {
        let Self { mut defects, suspects, has_more, .. } = self;
        let origin = |record: &Record| {
            let stands = suspects.iter().find(|at| {
                let (sequence, own) = (at.sequence(), (record.previous_hash(), record.hash()));
                // Its place alone was exchanged, or all but its place.
                record.hash_at(sequence, own.0) == own.1
                    || record.hash_at(sequence, at.previous_hash()) == at.hash()
            });
            let near = || {
                let sequence = record.sequence();
                let around =
                    (sequence.saturating_sub(NEAR)..=sequence.saturating_add(NEAR)).filter(|at| *at > 0);
                around.into_iter().find(|at| record.hash_at(*at, record.previous_hash()) == record.hash())
            };
            stands.map(Record::sequence).or_else(near)
        };
        let moved = suspects.iter().map(|record| {
            let (sequence, id) = (record.sequence(), record.id.clone());
            match origin(record) {
                Some(linked_at) => Defect::Moved { id, sequence, linked_at },
                None => Defect::Changed { sequence, id },
            }
        });
        let moved: Vec<Defect> = moved.collect();
        defects.splice(0..0, moved);
        (defects, has_more)
    }
}

/// How far away the place is looked for that an entry was linked at: when one before it was removed, all behind that may
/// have been numbered anew.
const NEAR: i64 = 16;

/// Entries of a chain without a place.
#[derive(Clone, Debug, QueryableByName)]
struct Waiting {
    #[diesel(embed)]
    chain: Chain,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Text)]
    oldest: String,
    #[diesel(sql_type = Timestamp)]
    since: NaiveDateTime,
}

impl Waiting {
    fn seconds(&self, now: NaiveDateTime) -> i64 {
        (now - self.since).num_seconds().max(0)
    }
}

fn waiting(connection: &mut AnyConnection) -> QueryResult<Vec<Waiting>> {
    const WAITING: &str = "SELECT tenant_id, environment, count(*) AS count, min(id) AS oldest, \
        min(occurred_at) AS since FROM audit_events WHERE sequence IS NULL GROUP BY tenant_id, environment";
    on_engine!(connection, |inner| Statement::new(WAITING).load(inner))
}

/// The first entry whose place the head has not given out. One statement, so that it sees both at one moment.
fn behind_head(connection: &mut AnyConnection, chain: &Chain) -> QueryResult<Option<i64>> {
    const BEHIND: &str = "SELECT min(sequence) AS first FROM audit_events WHERE tenant_id = ? AND environment = ? \
        AND sequence > coalesce((SELECT head.sequence FROM audit_chains AS head \
        WHERE head.tenant_id = ? AND head.environment = ?), 0)";
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<BigInt>)]
        first: Option<i64>,
    }
    let statement = Statement::new(BEHIND)
        .bind::<Text, _>(&*chain.tenant_id)
        .bind::<Text, _>(&*chain.environment)
        .bind::<Text, _>(&*chain.tenant_id)
        .bind::<Text, _>(&*chain.environment);
    let Row { first } = on_engine!(connection, |inner| statement.get_result(inner))?;
    Ok(first)
}

/// How much waits for its place, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlinked {
    /// How many entries, at most 10,000.
    pub count: i64,
    /// Since when the oldest of them.
    pub since: Option<NaiveDateTime>,
}

/// How much waits for its place, of every chain.
pub async fn unlinked(database: &Database) -> Result<Unlinked, Error> {
    const UNLINKED: &str = "SELECT count(*) AS count, min(occurred_at) AS since FROM \
        (SELECT occurred_at FROM audit_events WHERE sequence IS NULL ORDER BY id LIMIT 10000) AS oldest";
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
        #[diesel(sql_type = Nullable<Timestamp>)]
        since: Option<NaiveDateTime>,
    }
    let look = |connection: &mut AnyConnection| {
        let row: Row = on_engine!(connection, |inner| Statement::new(UNLINKED).get_result(inner))?;
        Ok::<_, Error>(Unlinked { count: row.count, since: row.since })
    };
    database.read_every_tenant(look).await
}
