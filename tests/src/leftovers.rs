//! What must not be left when a test ends: rows that nobody can explain, connections, half-written files,
//! processes, panics that no reply showed.

use crate::patience::look_for;
use crate::sql::lines;
use argus_core::store::AnyConnection;
use diesel::connection::SimpleConnection;
use std::path::Path;

/// The files of a data directory; a signing key is named after its id.
const FILES: [&str; 12] = [
    ".lock",
    "argus.db",
    "argus.db-shm",
    "argus.db-wal",
    "dev.json",
    "dev.json.unreadable",
    "envelope_key",
    "keys",
    "manifest.json",
    "objects",
    "ready.json",
    "secret_pepper",
];

/// Rows that contradict each other. Whatever a test did, each of these would be a change that was written
/// by half.
const ROWS: &str = "
    SELECT 'audit event of no tenant ' || id AS line FROM audit_events
        WHERE tenant_id NOT IN (SELECT tenant_id FROM tenants)
    UNION ALL SELECT 'organisation of no tenant ' || organization_id FROM organizations
        WHERE tenant_id NOT IN (SELECT tenant_id FROM tenants)
    UNION ALL SELECT 'app of no organisation ' || client_id FROM apps
        WHERE organization_id NOT IN (SELECT organization_id FROM organizations)
    UNION ALL SELECT 'tenant without its audit event ' || tenant_id FROM tenants
        WHERE tenant_id NOT IN (SELECT subject FROM audit_events WHERE action = 'tenant.create')
        AND tenant_id NOT IN (SELECT tenant_id FROM audit_checkpoints)
    UNION ALL SELECT 'audit event of an absent tenant ' || subject FROM audit_events
        WHERE action = 'tenant.create' AND subject NOT IN (SELECT tenant_id FROM tenants)
    UNION ALL SELECT 'app without its audit event ' || client_id FROM apps
        WHERE client_id NOT IN (SELECT subject FROM audit_events WHERE action = 'app.create')
        AND tenant_id NOT IN (SELECT tenant_id FROM audit_checkpoints)
    UNION ALL SELECT 'job that was told twice ' || subject FROM outbox
        WHERE event LIKE 'job.%' GROUP BY subject HAVING count(*) > 1
    UNION ALL SELECT 'event of a job that has not ended so ' || outbox.subject FROM outbox
        LEFT JOIN jobs ON jobs.id = outbox.subject AND outbox.event = 'job.' || jobs.status
        WHERE outbox.event LIKE 'job.%' AND jobs.id IS NULL
    UNION ALL SELECT 'delivery with half a lease ' || id FROM deliveries
        WHERE (lease IS NULL) <> (lease_until IS NULL)
    UNION ALL SELECT 'delivery of no subscription and no callback ' || id FROM deliveries
        WHERE (webhook_id IS NULL) = (callback_url IS NULL)
    UNION ALL SELECT 'job with half a lease ' || id FROM jobs
        WHERE (status = 'running') <> (lease IS NOT NULL) OR (lease IS NULL) <> (lease_until IS NULL)
    UNION ALL SELECT 'audit event of an absent app ' || subject FROM audit_events
        WHERE action = 'app.create' AND subject NOT IN (SELECT client_id FROM apps)";

/// Whether there is a schema; a test may end before there is one.
const TABLES_IN_POSTGRES: &str = "
    SELECT tablename::text AS line FROM pg_tables
    WHERE schemaname = current_schema() AND tablename = 'apps'";
const TABLES_IN_SQLITE: &str = "SELECT name AS line FROM sqlite_master WHERE name = 'apps'";

/// Connections of others to this schema, all of which carry its name.
const SESSIONS: &str = "
    SELECT 'connection, ' || coalesce(state, 'new') || ', last statement: ' || query AS line
    FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()";

/// How long SQLite waits for another connection to end its transaction, in milliseconds.
const LOCK_PATIENCE: u32 = 60_000;

/// What was found.
#[derive(Default)]
pub(crate) struct Leftovers(Vec<String>);

impl Leftovers {
    /// Fails the test when something is left, unless it fails already.
    pub(crate) fn reject(find: impl FnOnce() -> Self) {
        if std::thread::panicking() {
            return;
        }
        let Self(found) = find();
        assert!(found.is_empty(), "left behind by the test:\n  {}", found.join("\n  "));
    }

    pub(crate) fn add(&mut self, found: impl Into<String>) {
        self.0.push(found.into());
    }

    /// Half-written files anywhere, and in the data directory every file that is not known. Objects are
    /// called as their owners like.
    pub(crate) fn of_files(&mut self, directory: &Path, data_dir: &Path) {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            let is_key = path.extension().is_some_and(|extension| extension == "pem");
            let is_object = path.starts_with(data_dir.join("objects"));
            let is_known = FILES.contains(&&*name) || is_key || is_object || !path.starts_with(data_dir);
            let is_half = name.starts_with(".new-") || is_object && name.contains('#');
            if is_half || path != data_dir && !is_known {
                self.add(path.display().to_string());
            }
            if path.is_dir() {
                self.of_files(&path, data_dir);
            }
        }
    }

    /// Connections of others, transactions that are still open, and rows that contradict each other.
    pub(crate) fn of_database(&mut self, connection: &mut AnyConnection) {
        let tables = match connection {
            AnyConnection::Pg(_) => {
                // A server that stops in the background closes its connections a moment later.
                let mut open = Vec::new();
                look_for(|| {
                    open = lines(connection, SESSIONS).unwrap();
                    open.is_empty().then_some(())
                });
                self.0.extend(open);
                TABLES_IN_POSTGRES
            }
            AnyConnection::Sqlite(_) => {
                let ended = connection.batch_execute(&format!(
                    "PRAGMA busy_timeout = {LOCK_PATIENCE}; BEGIN IMMEDIATE; ROLLBACK"
                ));
                if let Err(error) = ended {
                    self.add(format!("a transaction: {error}"));
                }
                TABLES_IN_SQLITE
            }
        };
        if !lines(connection, tables).unwrap().is_empty() {
            self.0.extend(lines(connection, ROWS).unwrap());
        }
    }

    /// Processes that a child has started and that still run. Elsewhere than on Linux nobody tells.
    pub(crate) fn of_children(&mut self, process: u32) {
        for task in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            if !children.trim().is_empty() {
                self.add(format!("processes {}", children.trim()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Installation, run};
    use argus_core::tenants;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What an installation says at its end.
    fn said(installation: Installation) -> String {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(installation))) else { return String::new() };
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    fn used() -> Installation {
        let installation = Installation::sqlite();
        run(async {
            let identity = installation.identity();
            tenants::create(identity.store(), identity.clock(), &"Example tenant".parse().unwrap())
                .await
                .unwrap();
        });
        installation
    }

    #[test]
    fn an_installation_that_was_used_leaves_nothing() {
        assert_eq!(said(used()), "");
    }

    #[test]
    fn a_row_that_was_written_by_half_is_left_behind() {
        let installation = used();
        let half = "INSERT INTO tenants VALUES ('tnt_half', 'Half', '2026-11-25 00:00:00')";
        crate::sql::execute(&mut installation.connect(), half).unwrap();
        assert!(said(installation).contains("tenant without its audit event tnt_half"));
    }

    #[test]
    fn a_half_written_file_is_left_behind_wherever_it_is() {
        for place in [".new-a", "data/keys/.new-a", "data/unknown", "data/objects/a#1"] {
            let installation = used();
            std::fs::create_dir_all(installation.data_dir().join("objects")).unwrap();
            std::fs::write(installation.scratch().join(place), "").unwrap();
            assert!(said(installation).contains(place), "{place}");
        }
    }

    #[test]
    fn a_test_that_fails_is_not_told_about_leftovers_as_well() {
        let failed = catch_unwind(|| {
            let installation = used();
            std::fs::write(installation.scratch().join(".new-a"), "").unwrap();
            panic!("its own reason");
        });
        assert_eq!(failed.unwrap_err().downcast_ref::<&str>(), Some(&"its own reason"));
    }
}
