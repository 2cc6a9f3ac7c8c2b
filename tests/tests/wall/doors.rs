//! The look-ups that come before the tenant is known: one row out, and nothing else.

use super::{Two, seen};
use argus_core::ids::ClientId;
use argus_core::store::Error;
use argus_core::tenants;
use argus_partner::store::apps::find_client;
use argus_tests::{Installation, run_on_postgres, sql};

#[test]
fn an_app_is_found_by_its_client_id_and_no_other_comes_with_it() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        for tenant in [&two.mine, &two.theirs] {
            let wanted: ClientId = format!("app_of_{}", tenant.tenant_id()).parse().unwrap();
            let find = move |connection: &mut _| Ok::<_, Error>(find_client(connection, &wanted)?);
            let found = two.database.requests.look_up(find).await.unwrap().unwrap();
            assert_eq!((&found.tenant_id, found.secret_hash.as_str()), (tenant.tenant_id(), "hash"));
        }
        let mut session = two.requests();
        for wanted in ["app_of_nobody", "", "%", "app_of_' OR true --"] {
            let found = format!(
                "SELECT secret_hash AS line FROM argus_find_client('{}')",
                wanted.replace('\'', "''")
            );
            assert_eq!(seen(&mut session, &found).unwrap(), [""; 0], "{wanted}");
        }
    });
}

#[test]
fn a_user_a_session_and_an_invitation_are_found_by_what_names_them_and_no_other_comes_with_it() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let (tenant, mut session) = (two.mine.tenant_id().as_str(), two.requests());
        for (function, wanted) in [
            ("argus_find_user", format!("{tenant}@example.com")),
            ("argus_find_session", format!("session_of_{tenant}")),
            ("argus_find_invitation", format!("invitation_of_{tenant}")),
        ] {
            let found = |wanted: &str| format!("SELECT user_id AS line FROM {function}('{wanted}')");
            assert_eq!(seen(&mut session, &found(&wanted)).unwrap(), [format!("usr_of_{tenant}")]);
            for other in ["", "%", "x'' OR true --"] {
                assert_eq!(seen(&mut session, &found(other)).unwrap(), [""; 0], "{function}");
            }
        }
        let of_disabled = format!("UPDATE users SET disabled_at = 1 WHERE tenant_id = '{tenant}'");
        sql::execute(&mut two.installation.connect(), &of_disabled).unwrap();
        for door in ["argus_find_session('session_of", "argus_find_invitation('invitation_of"] {
            let found = format!("SELECT user_id AS line FROM {door}_{tenant}')");
            assert_eq!(seen(&mut session, &found).unwrap(), [""; 0]);
        }
    });
}

#[test]
fn a_table_of_the_same_name_does_not_come_between() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let mut session = two.requests();
        let other = "CREATE TEMP TABLE apps (client_id TEXT, tenant_id TEXT, organization_id TEXT, grant_types TEXT, \
             approved_scopes TEXT, secret_hash TEXT); INSERT INTO apps VALUES ('app_x', 'tnt_x', '', '', '', 'mine'); \
             SET search_path = pg_temp, public";
        let schema = two.lines("SELECT current_schema()::text AS line").remove(0);
        sql::execute(&mut session, other).unwrap();
        let found = format!("SELECT secret_hash AS line FROM {schema}.argus_find_client('app_x')");
        assert_eq!(seen(&mut session, &found).unwrap(), [""; 0]);
    });
}

#[test]
fn the_first_tenant_is_found_before_any_is_known_and_each_by_its_name() {
    run_on_postgres(async |installation: Installation| {
        let two = Two::open(installation).await;
        let store = &two.database.requests;
        assert_eq!(&tenants::first(store).await.unwrap().unwrap().tenant_id, two.mine.tenant_id());
        for tenant in [&two.mine, &two.theirs] {
            let found = tenants::view(store, tenant.tenant_id()).await.unwrap();
            assert_eq!(found.organization_id, tenant.principal.organization_id);
        }
        assert_eq!(two.identity.store().ping().await.ok(), Some(()));
    });
}
