//! The linker gives each entry its place in its chain, behind the commit that wrote it: the next number, the hash of the
//! entry before, its own.
//!
//! One writer per chain holds by construction: whoever links locks the rows of the heads, and passes over those that another
//! node has. Order is that of linking, and of the identifiers among entries that are found together. Hundreds are linked in
//! a handful of statements.
//!
//! It goes on from a head alone that the installation has signed. Otherwise whoever cuts off the end of a chain and sets
//! its head back would have the linker sign for it.

mod statements;

use super::chain::{self, Chain, Key, Mark, Marked};
use super::record::Record;
use crate::error::{Error, Fault};
use crate::store::{AnyConnection, Database};
use diesel::QueryResult;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many entries are linked in one transaction. On SQLite it holds up other writers for a few milliseconds.
const BATCH: i64 = 500;
/// How long to rest when nothing was left to link. An entry is linked within a second.
const REST: Duration = Duration::from_millis(300);
/// How long a chain is left alone whose head is not to be trusted, before somebody is told again.
const STUCK: Duration = Duration::from_secs(60);

/// Links what has been appended.
pub struct Linker {
    database: Database,
    key: Arc<Key>,
    /// Chains whose heads the installation has not signed, and until when they are left alone.
    stuck: HashMap<Chain, Instant>,
}

/// What one transaction has done.
#[derive(Debug, Default)]
struct Pass {
    linked: usize,
    stuck: Vec<Chain>,
}

impl Linker {
    /// Nothing is linked before it runs.
    pub fn new(database: Database, key: Arc<Key>) -> Self {
        Self { database, key, stuck: HashMap::new() }
    }

    /// Links for ever.
    pub async fn run(mut self) {
        loop {
            match self.link().await {
                Ok(linked) if linked > 0 => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(cause = %error, "the audit trail is linked later"),
            }
            sleep(REST).await;
        }
    }

    /// Links all that there is now, but for what other nodes are at.
    pub async fn link_all(&mut self) -> Result<usize, Error> {
        let mut linked = 0;
        loop {
            match self.link().await? {
                0 => return Ok(linked),
                some => linked += some,
            }
        }
    }

    /// Links some of it.
    async fn link(&mut self) -> Result<usize, Error> {
        let now = Instant::now();
        self.stuck.retain(|_, until| now < *until);
        let stuck = pairs(self.stuck.keys());
        // Whether there is anything is asked beside the writers, because mostly there is not.
        let look = {
            let stuck = stuck.clone();
            move |connection: &mut AnyConnection| {
                Ok::<_, Error>(statements::waiting(connection, &stuck, 1)?.is_empty())
            }
        };
        if self.database.read_every_tenant(look).await? {
            return Ok(0);
        }
        let key = Arc::clone(&self.key);
        let work = move |connection: &mut AnyConnection| pass(connection, &key, &stuck);
        let Pass { linked, stuck } = self.database.every_tenant.transaction(work).await?;
        for chain in stuck {
            tracing::error!(%chain, "the head of this chain is not as this installation has signed it, and nothing is linked behind it: `argus audit verify`");
            self.stuck.insert(chain, now + STUCK);
        }
        Ok(linked)
    }
}

/// Links the oldest entries that wait.
fn pass(connection: &mut AnyConnection, key: &Key, stuck: &str) -> Result<Pass, Error> {
    let chains = statements::waiting(connection, stuck, BATCH)?;
    let heads = lock(connection, key, &chains)?;
    let (mut heads, forged): (BTreeMap<_, _>, BTreeMap<_, _>) =
        heads.into_iter().partition(|(_, head)| key.has_signed(Mark::Head, head));
    let mut pass = Pass { linked: 0, stuck: forged.into_keys().collect() };
    if heads.is_empty() {
        return Ok(pass);
    }
    let records = statements::unlinked(connection, &pairs(heads.keys()), BATCH)?;
    let links: Vec<Link> = records.iter().filter_map(|record| link(&mut heads, record)).collect();
    if statements::set_places(connection, &links)? != links.len() {
        return Err(Fault::new("an entry was linked by somebody who has no lock").into());
    }
    let grown: HashSet<&Chain> = links.iter().map(|link| &link.chain).collect();
    let heads: Vec<Marked> = heads
        .values()
        .filter(|head| grown.contains(&head.chain))
        .map(|head| key.sign(Mark::Head, &head.chain, head.sequence, &head.hash))
        .collect();
    statements::set_heads(connection, &heads)?;
    pass.linked = links.len();
    Ok(pass)
}

/// The heads of these chains that nobody else has, each locked; a chain without one gets its first.
fn lock(connection: &mut AnyConnection, key: &Key, chains: &[Chain]) -> QueryResult<BTreeMap<Chain, Marked>> {
    let by_chain = |heads: Vec<Marked>| heads.into_iter().map(|head| (head.chain.clone(), head));
    let locked = statements::lock_heads(connection, &pairs(chains))?;
    let mut heads: BTreeMap<Chain, Marked> = by_chain(locked).collect();
    for chain in chains {
        // What another node has locked is there already, and this adds nothing.
        if !heads.contains_key(chain) && statements::add_head(connection, &key.sign_empty(chain))? {
            heads.extend(chain::find(connection, Mark::Head, chain)?.map(|head| (chain.clone(), head)));
        }
    }
    Ok(heads)
}

/// The place of an entry.
#[derive(Debug, Serialize)]
struct Link {
    id: String,
    sequence: i64,
    previous_hash: String,
    hash: String,
    #[serde(skip)]
    chain: Chain,
}

/// The next place of the entry's chain, which its head then is at.
fn link(heads: &mut BTreeMap<Chain, Marked>, record: &Record) -> Option<Link> {
    let chain = Chain { tenant_id: record.tenant_id.clone(), environment: record.environment.clone() };
    let head = heads.get_mut(&chain)?;
    let sequence = head.sequence + 1;
    let hash = record.hash_at(sequence, &head.hash);
    head.sequence = sequence;
    let previous_hash = std::mem::replace(&mut head.hash, hash.clone());
    Some(Link { id: record.id.clone(), sequence, previous_hash, hash, chain })
}

/// Chains as one value of a statement.
fn pairs<'c>(chains: impl IntoIterator<Item = &'c Chain>) -> String {
    let pairs: Vec<[&str; 2]> =
        chains.into_iter().map(|chain| [&*chain.tenant_id, &*chain.environment]).collect();
    crate::store::statement::names(&pairs)
}
