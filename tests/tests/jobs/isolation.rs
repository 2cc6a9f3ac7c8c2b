//! Tenants do not see each other's jobs. What PostgreSQL does about it by itself is looked at in `wall`.

use super::Desk;
use argus_core::jobs::cancel;
use argus_core::jobs::view::{Job, Viewer};
use argus_core::store::{Reader, Tx};
use argus_tests::{Installation, on_both_engines};

on_both_engines! {
    the_job_of_another_tenant_does_not_exist
}

async fn the_job_of_another_tenant_does_not_exist(installation: Installation) {
    let desk = Desk::open(installation).await;
    let theirs = desk.job_of(&desk.stranger().await).await.id;
    let key = (theirs.clone(), Viewer::of(&desk.caller));
    let read = desk
        .database
        .requests
        .read_row(&desk.caller, move |reader: &mut Reader<'_>| reader.load::<Job>(&key));
    assert_eq!(read.await.unwrap_err().to_string(), "no such job");
    let cancelled =
        desk.database.requests.write(&desk.caller, move |tx: &mut Tx<'_>| cancel(tx, &theirs)).await;
    assert_eq!(cancelled.unwrap_err().to_string(), "no such job");
    assert_eq!(desk.lines("SELECT status AS line FROM jobs"), ["queued"]);
}
