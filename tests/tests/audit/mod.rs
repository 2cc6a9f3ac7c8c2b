//! The audit trail as hash chains.
//!
//! - [`writers`]: many processes that write at once make one chain
//! - [`tampering`]: whatever is changed behind the service's back is named
//! - [`pruning`]: a prefix goes and leaves a checkpoint
//! - [`exports`]: what is exported is checked by a program that has nothing of ours
//! - [`sandbox`]: calls on the sandbox host
//! - [`service`]: the linker of a service, and its metrics

mod exports;
mod pruning;
mod sandbox;
mod service;
mod tampering;
mod writers;

use crate::black_box::support::binary;
use crate::identity::support::admin;
use argus_core::audit::linker::Linker;
use argus_core::audit::verify::{Defect, Selection, Verdict, Verifier};
use argus_core::audit::{self, Key};
use argus_core::context::{Context, Live};
use argus_core::store::{AnyConnection, Database, Tx};
use argus_core::{Clock, Error};
use argus_partner::Identity;
use argus_tests::{Installation, sql};
use chrono::TimeDelta;
use std::process::Output;
use std::sync::Arc;

/// A tenant whose entries a test writes, links and changes.
struct Scene {
    database: Database,
    identity: Identity,
    key: Arc<Key>,
    admin: Context<Live>,
    // Last: it looks at what was left.
    installation: Installation,
}

impl Scene {
    async fn open(installation: Installation) -> Self {
        let (database, identity) = installation.database_and_identity();
        let key = Arc::new(Key::of(identity.pepper()).unwrap());
        let admin = admin(&identity).await;
        Self { database, identity, key, admin, installation }
    }

    /// The same, whose chain has so many entries beside that of the tenant's creation.
    async fn with_entries(installation: Installation, count: usize) -> Self {
        let scene = Self::open(installation).await;
        scene.append(count).await;
        scene.link().await;
        scene
    }

    fn tenant_id(&self) -> &str {
        self.admin.tenant_id().as_str()
    }

    async fn append(&self, count: usize) {
        let work = move |tx: &mut Tx<'_>| {
            (0..count).try_for_each(|index| audit::append(tx, "app.secret.rotate", &format!("app_{index}")))
        };
        self.identity.store().write(&self.admin, work).await.unwrap();
    }

    fn linker(&self) -> Linker {
        Linker::new(self.database.clone(), Arc::clone(&self.key))
    }

    async fn link(&self) -> usize {
        self.linker().link_all().await.unwrap()
    }

    fn verifier(&self) -> Verifier {
        let (database, key) = (self.database.clone(), Arc::clone(&self.key));
        Verifier::new(database, key, Clock::system().timestamp(), TimeDelta::seconds(60))
    }

    /// What a check says of the tenant's live chain.
    async fn verdict(&self) -> Verdict {
        let selection = Selection {
            tenant_id: Some(self.admin.tenant_id().clone()),
            environment: Some(audit::Environment::Live),
        };
        self.verifier().verify(&selection).await.unwrap().remove(0)
    }

    async fn defects(&self) -> Vec<Defect> {
        self.verdict().await.defects
    }

    /// The identifiers of the tenant's entries, in the order of their places.
    fn ids(&self) -> Vec<String> {
        let ids = format!(
            "SELECT id AS line FROM audit_events WHERE tenant_id = '{}' AND environment = 'live' ORDER BY sequence",
            self.tenant_id()
        );
        sql::lines(&mut self.installation.connect(), &ids).unwrap()
    }

    /// Does something with the tables that no role of the service may do.
    fn tamper(&self, statements: &str) {
        let mut connection = self.installation.connect();
        match &connection {
            AnyConnection::Pg(_) => sql::execute(
                &mut connection,
                &format!("SET session_replication_role = replica; {statements}"),
            ),
            AnyConnection::Sqlite(_) => {
                let triggers =
                    "SELECT name AS line FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'";
                for trigger in sql::lines(&mut connection, triggers).unwrap() {
                    sql::execute(&mut connection, &format!("DROP TRIGGER {trigger}")).unwrap();
                }
                sql::execute(&mut connection, statements)
            }
        }
        .unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Keeps entries and heads as they are now.
    fn keep(&self) {
        let keep = |kept: &str, table: &str| {
            // A table that names tenants would have to be declared.
            format!(
                "CREATE TABLE {kept} AS SELECT * FROM {table}; ALTER TABLE {kept} RENAME COLUMN tenant_id TO owner;"
            )
        };
        self.tamper(&(keep("kept", "audit_events") + &keep("kept_heads", "audit_chains")));
    }

    /// Puts everything back as it was kept.
    fn restore(&self) {
        self.tamper(
            "DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM kept; \
             DELETE FROM audit_chains; INSERT INTO audit_chains SELECT * FROM kept_heads",
        );
    }

    fn command(&self, arguments: &[&str]) -> Output {
        self.installation.command(binary(), arguments)
    }

    /// The lines that a command prints.
    fn said(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.command(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Appends an entry in a transaction that fails afterwards.
async fn append_in_vain(identity: &Identity, context: &Context<Live>) {
    let half = |tx: &mut Tx<'_>| {
        audit::append(tx, "app.secret.rotate", "app_of_nobody")?;
        Err::<(), _>(Error::Invalid("changed my mind".to_owned()))
    };
    identity.store().write(context, half).await.unwrap_err();
}
