//! A chain: whose it is, its newest place, up to where it was pruned, and the key that signs both.
//!
//! Hashes alone show a change to whoever knows the newest one; whoever may write to the database could hash a chain anew.
//! So head and checkpoint are signed with a key that is not in the database. It is an Ed25519 key that follows from the
//! pepper: every node of the installation has it without a file of its own, an auditor checks it with the public half
//! (`argus audit key`) and needs no secret, and it stays while the keys that sign tokens are rotated and forgotten, for
//! checkpoints are to be checked years later.

use super::record::NO_HASH;
use crate::error::Fault;
use crate::pepper::Pepper;
use crate::store::AnyConnection;
use crate::store::statement::{Statement, on_engine};
use argus_wire::canonical;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Map, Value, json};
use std::fmt;
use zeroize::Zeroizing;

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On the live hosts.
    Live,
    /// On the sandbox host.
    Sandbox,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Sandbox];
    pub(super) const LIVE: &'static str = "live";

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => Self::LIVE,
            Self::Sandbox => "sandbox",
        }
    }
}

/// A chain, as the database names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, QueryableByName)]
pub struct Chain {
    /// Whose it is.
    #[diesel(sql_type = Text)]
    pub tenant_id: String,
    /// Of what happened where.
    #[diesel(sql_type = Text)]
    pub environment: String,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant_id, self.environment)
    }
}

/// What is signed of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its newest place.
    Head,
    /// The last place that was pruned.
    Checkpoint,
}

impl Mark {
    /// The rules by which it is signed; no signature of one counts for the other.
    fn format(self) -> &'static str {
        match self {
            Self::Head => "argus.audit.head.1",
            Self::Checkpoint => "argus.audit.checkpoint.1",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Head => "audit_chains",
            Self::Checkpoint => "audit_checkpoints",
        }
    }
}

/// A place of a chain with the hash there, signed.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Marked {
    /// The chain.
    #[diesel(embed)]
    pub chain: Chain,
    /// The place.
    #[diesel(sql_type = BigInt)]
    pub sequence: i64,
    /// The hash of the entry there.
    #[diesel(sql_type = Text)]
    pub hash: String,
    /// Which key has signed.
    #[diesel(sql_type = Text)]
    pub key_id: String,
    /// The signature.
    #[diesel(sql_type = Text)]
    pub signature: String,
}

/// The columns of a [`Marked`].
pub(super) const MARKED: &str = "tenant_id, environment, sequence, hash, key_id, signature";

impl Marked {
    /// What is signed, and is shown beside the signature.
    fn members(&self, mark: Mark) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        add("format", mark.format().into());
        add("tenant_id", self.chain.tenant_id.as_str().into());
        add("environment", self.chain.environment.as_str().into());
        add("sequence", self.sequence.into());
        add("hash", self.hash.as_str().into());
        members
    }

    fn text(&self, mark: Mark) -> Vec<u8> {
        let mut text = Vec::new();
        canonical::write_object(&mut text, &self.members(mark));
        text
    }

    /// As an object: what is signed, the key and the signature.
    pub(super) fn to_object(&self, mark: Mark) -> Map<String, Value> {
        let mut members = self.members(mark);
        members.insert("key_id".to_owned(), self.key_id.as_str().into());
        members.insert("signature".to_owned(), self.signature.as_str().into());
        members
    }
}

/// The key that signs heads and checkpoints.
pub struct Key {
    pair: Ed25519KeyPair,
    key_id: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Key {
    /// The key of the installation that has this pepper.
    pub fn of(pepper: &Pepper) -> Result<Self, Fault> {
        let seed = Zeroizing::new(pepper.seal("audit_key", &[]));
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(Fault::new)?;
        // RFC 7638: the members that it takes, in their order.
        let members = json!({"crv": "Ed25519", "kty": "OKP", "x": public(&pair)});
        let thumbprint = digest(&SHA256, canonical::to_string(&members).as_bytes());
        Ok(Self { key_id: URL_SAFE_NO_PAD.encode(thumbprint), pair })
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": public(&self.pair), "alg": "EdDSA", "use": "sig", "kid": self.key_id})
    }

    pub(super) fn sign(&self, mark: Mark, chain: &Chain, sequence: i64, hash: &str) -> Marked {
        let (chain, hash, key_id) = (chain.clone(), hash.to_owned(), self.key_id.clone());
        let mut marked = Marked { chain, sequence, hash, key_id, signature: String::new() };
        marked.signature = URL_SAFE_NO_PAD.encode(self.pair.sign(&marked.text(mark)));
        marked
    }

    /// The head of a chain that has no entry yet.
    pub(super) fn sign_empty(&self, chain: &Chain) -> Marked {
        self.sign(Mark::Head, chain, 0, NO_HASH)
    }

    /// Whether this key has signed it so.
    pub(super) fn has_signed(&self, mark: Mark, marked: &Marked) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(&marked.signature);
        signature.is_ok_and(|signature| key.verify(&marked.text(mark), &signature).is_ok())
    }
}

fn public(pair: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(pair.public_key())
}

/// Head or checkpoint of a chain, if it has one.
pub(super) fn find(connection: &mut AnyConnection, mark: Mark, chain: &Chain) -> QueryResult<Option<Marked>> {
    let find = format!("SELECT {MARKED} FROM {} WHERE tenant_id = ? AND environment = ?", mark.table());
    let statement =
        Statement::new(find).bind::<Text, _>(&*chain.tenant_id).bind::<Text, _>(&*chain.environment);
    on_engine!(connection, |inner| statement.get_result(inner)).optional()
}

/// The chains that there may be: both of each tenant, and whatever else has a head or a checkpoint.
pub(super) fn all(connection: &mut AnyConnection) -> QueryResult<Vec<Chain>> {
    let each = Environment::ALL.map(|environment| {
        format!("SELECT tenant_id, '{}' AS environment FROM tenants", environment.as_str())
    });
    let marks = [Mark::Head, Mark::Checkpoint];
    let marks = marks.map(|mark| format!("SELECT tenant_id, environment FROM {}", mark.table()));
    let all = each.into_iter().chain(marks).collect::<Vec<_>>().join(" UNION ");
    let statement = Statement::new(format!("SELECT * FROM ({all}) AS chain ORDER BY tenant_id, environment"));
    on_engine!(connection, |inner| statement.load(inner))
}
