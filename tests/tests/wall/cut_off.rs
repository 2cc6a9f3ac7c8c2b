//! Callers who go away in the middle: their connections come back outside of a transaction and with no tenant, so that
//! what is acknowledged afterwards is there.

use argus_core::ids::random;
use argus_core::store::{AnyConnection, Error};
use argus_openapi::types::scopes::Scope;
use argus_tests::{Installation, TestServer, look_for, run_on_postgres, scale, sql};
use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// How many connections serve requests.
const CONNECTIONS: u32 = 4;
/// A caller goes at the latest after so many microseconds, when most requests are answered.
const PATIENCE: u64 = 6_000;
/// How many go at a time.
const TOGETHER: usize = 8;

#[test]
fn callers_who_go_in_the_middle_leave_no_transaction_and_no_tenant_behind() {
    run_on_postgres(async |mut installation: Installation| {
        installation.settings.store.connections.requests = CONNECTIONS;
        let server = TestServer::from(installation);
        let apps = [server.app(&[Scope::PlatformRead]).await, server.app(&[Scope::PlatformRead]).await];
        let rotate = |index: usize| {
            let app = apps[index % 2].clone();
            async move { app.tenancy.post_nothing(&app.path("/rotate-secret")).await.status.as_u16() }
        };
        let mut answered = 0;
        for round in 0..scale(200, 2_000) / TOGETHER {
            let requests = (0..TOGETHER).map(|index| {
                let limit =
                    Duration::from_micros(u64::from(u16::from_be_bytes(random().unwrap())) % PATIENCE);
                // The connection goes with the request, as when a client is killed.
                tokio::time::timeout(limit, rotate(round * TOGETHER + index))
            });
            answered +=
                futures::future::join_all(requests).await.iter().filter(|answer| answer.is_ok()).count();
        }
        assert!(answered < scale(200, 2_000), "nobody went in the middle");

        let mut other = server.connect();
        let open = "SELECT state || ': ' || query AS line FROM pg_stat_activity \
            WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND state <> 'idle'";
        look_for(|| sql::lines(&mut other, open).unwrap().is_empty().then_some(()))
            .unwrap_or_else(|| panic!("{:?}", sql::lines(&mut other, open)));

        // Each of the connections at once, so that none is asked twice.
        let together = Arc::new(Barrier::new(CONNECTIONS as usize));
        let looks = (0..CONNECTIONS).map(|_| {
            let together = Arc::clone(&together);
            let look = move |connection: &mut AnyConnection| {
                together.wait();
                const LOOK: &str =
                    "SELECT concat(pg_backend_pid(), ' ', current_setting('argus.tenant_id', true)) AS line";
                Ok::<_, Error>(sql::lines(connection, LOOK)?.remove(0))
            };
            server.state().database.requests.look_up(look)
        });
        let looks = futures::future::join_all(looks).await.into_iter().map(Result::unwrap);
        let looks: BTreeSet<String> = looks.collect();
        assert_eq!(looks.len(), CONNECTIONS as usize, "{looks:?}");
        assert!(looks.iter().all(|look| look.ends_with(' ')), "{looks:?}");

        for index in 0..2 * CONNECTIONS as usize {
            let subject = &apps[index % 2].client_id;
            let rotations = format!(
                "SELECT count(*)::text AS line FROM audit_events WHERE subject = '{subject}' \
                 AND action = 'app.secret.rotate'"
            );
            let before: u32 = sql::lines(&mut other, &rotations).unwrap()[0].parse().unwrap();
            assert_eq!(rotate(index).await, 200);
            assert_eq!(sql::lines(&mut other, &rotations).unwrap(), [(before + 1).to_string()]);
        }
    });
}
