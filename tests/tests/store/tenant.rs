//! The tenant of a context: it bounds what is read and written, and PostgreSQL is told of it, for as long
//! as the work lasts.

use crate::identity::support::{admin, app, id_of};
use argus_core::context::{Context, Live};
use argus_core::store::{AnyConnection, Error, Kind, Reader, Tx};
use argus_openapi::types::scopes::Scope;
use argus_partner::Identity;
use argus_partner::store::apps::AppRow;
use argus_tests::{Installation, on_both_engines, run_on_postgres, sql};

on_both_engines! {
    a_row_of_another_tenant_cannot_be_loaded
    work_that_reads_cannot_write
}

async fn a_row_of_another_tenant_cannot_be_loaded(installation: Installation) {
    let identity = installation.identity();
    let (owner, stranger) = (admin(&identity).await, admin(&identity).await);
    let id = id_of(&app(&identity, &owner, &[Scope::JobsRead]).await);
    let store = identity.store();
    for (context, visible) in [(&owner, true), (&stranger, false)] {
        let ids = [id.clone(), id.clone(), id.clone()];
        let [in_read, in_row, in_write] = ids;
        let loaded = [
            store.read(context, move |reader| reader.load::<AppRow>(&in_read)).await,
            store.read_row(context, move |reader| reader.load::<AppRow>(&in_row)).await,
            store.write(context, move |tx| tx.load::<AppRow>(&in_write)).await,
        ];
        for outcome in loaded {
            match outcome {
                Ok(row) => assert!(visible && row.client_id == id),
                Err(error) => {
                    assert!(!visible && matches!(error, argus_core::Error::NotFound("app")), "{error}")
                }
            }
        }
    }
}

async fn work_that_reads_cannot_write(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let rename = |reader: &mut Reader<'_>| {
        Ok::<_, Error>(sql::execute(reader.parts().0, "UPDATE tenants SET name = 'Renamed'")?)
    };
    let store = identity.store();
    for outcome in [store.read(&admin, rename).await, store.read_row(&admin, rename).await] {
        assert_eq!(outcome.unwrap_err().kind(), Kind::Permanent);
    }
    let names = "SELECT name AS line FROM tenants";
    assert_eq!(sql::lines(&mut installation.connect(), names).unwrap(), ["Example tenant"]);
}

/// The connection, and the tenant that PostgreSQL knows of.
fn told(connection: &mut AnyConnection) -> Result<(String, String), Error> {
    const TOLD: &str =
        "SELECT pg_backend_pid() || ' ' || coalesce(current_setting('argus.tenant_id', true), '') AS line";
    let line = sql::lines(connection, TOLD)?.remove(0);
    let (session, tenant) = line.split_once(' ').unwrap();
    Ok((session.to_owned(), tenant.to_owned()))
}

#[test]
fn postgres_knows_the_tenant_of_the_work_and_forgets_it_afterwards() {
    run_on_postgres(async |mut installation: Installation| {
        // With one connection, whoever comes next gets the same.
        installation.settings.store.connections.requests = 1;
        let identity = installation.identity();
        let tenants = [admin(&identity).await, admin(&identity).await];
        let mut sessions = Vec::new();
        for context in &tenants {
            for work in [told_in_read, told_in_row, told_in_write, told_in_failed_write] {
                let (session, tenant) = work(&identity, context).await;
                assert_eq!(tenant, context.tenant_id().as_str());
                let (same, tenant) = identity.store().look_up(told).await.unwrap();
                assert_eq!((same.as_str(), tenant.as_str()), (session.as_str(), ""));
                sessions.push(session);
            }
        }
        sessions.dedup();
        assert_eq!(sessions.len(), 1);
    });
}

type Told<'a> = std::pin::Pin<Box<dyn Future<Output = (String, String)> + 'a>>;

fn told_in_read<'a>(identity: &'a Identity, context: &'a Context<Live>) -> Told<'a> {
    let work = |reader: &mut Reader<'_>| told(reader.parts().0);
    Box::pin(async move { identity.store().read(context, work).await.unwrap() })
}

fn told_in_row<'a>(identity: &'a Identity, context: &'a Context<Live>) -> Told<'a> {
    let work = |reader: &mut Reader<'_>| told(reader.parts().0);
    Box::pin(async move { identity.store().read_row(context, work).await.unwrap() })
}

fn told_in_write<'a>(identity: &'a Identity, context: &'a Context<Live>) -> Told<'a> {
    let work = |tx: &mut Tx<'_>| told(tx.parts().0);
    Box::pin(async move { identity.store().write(context, work).await.unwrap() })
}

fn told_in_failed_write<'a>(identity: &'a Identity, context: &'a Context<Live>) -> Told<'a> {
    let (send, receive) = std::sync::mpsc::channel();
    let work = move |tx: &mut Tx<'_>| {
        send.send(told(tx.parts().0)?).unwrap();
        Err::<(), Error>(diesel::result::Error::RollbackTransaction.into())
    };
    Box::pin(async move {
        identity.store().write(context, work).await.unwrap_err();
        receive.recv().unwrap()
    })
}
