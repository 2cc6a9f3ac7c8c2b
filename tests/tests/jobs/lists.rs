//! Lists of jobs: every job once, whatever happens between two pages.

use super::{Desk, job};
use argus_core::ids::JobId;
use argus_core::jobs::view::{Filter, JobPosition, count, list};
use argus_core::jobs::{NewJob, enqueue};
use argus_core::page::PageRequest;
use argus_core::pepper::Pepper;
use argus_core::store::{Reader, Tx};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobStatus;
use argus_tests::{Installation, on_both_engines};

on_both_engines! {
    every_job_of_a_moment_is_listed_once
    what_is_new_or_gone_between_two_pages_moves_no_other_job
    a_filter_holds_for_the_page_and_for_the_count
    what_is_above_the_clearance_is_not_listed
}

const ALL: Filter = Filter { kind: None, status: None, secrecy_level: SecrecyLevel::Secret };

async fn many(desk: &Desk, jobs: Vec<NewJob>) {
    let work = move |tx: &mut Tx<'_>| {
        jobs.iter().try_for_each(|job| enqueue(tx, job).map(drop))?;
        Ok::<_, argus_core::Error>(())
    };
    desk.database.requests.write(&desk.caller, work).await.unwrap();
}

/// A page behind a cursor, and the next cursor.
async fn page(desk: &Desk, filter: Filter, cursor: Option<&str>, limit: u32) -> (Vec<JobId>, Option<String>) {
    let pepper = Pepper::open(&desk.installation.data_dir()).unwrap();
    let tenant_id = desk.caller.tenant_id();
    let request = PageRequest::<JobPosition>::new(&pepper, tenant_id, cursor, limit).unwrap();
    let query = request.clone();
    let found = desk
        .database
        .requests
        .read(&desk.caller, move |reader: &mut Reader<'_>| list(reader, &filter, &query));
    let page = request.page(&pepper, tenant_id, found.await.unwrap(), |job| JobPosition::from(job));
    (page.items.into_iter().map(|job| job.id).collect(), page.next_cursor)
}

async fn pages(desk: &Desk, filter: Filter, limit: u32) -> Vec<JobId> {
    let (mut ids, mut cursor) = page(desk, filter, None, limit).await;
    while let Some(text) = cursor {
        let (more, next) = page(desk, filter, Some(&text), limit).await;
        ids.extend(more);
        cursor = next;
    }
    ids
}

async fn counted(desk: &Desk, filter: Filter, bound: i64) -> u64 {
    desk.database
        .requests
        .read(&desk.caller, move |reader: &mut Reader<'_>| count(reader, &filter, bound))
        .await
        .unwrap()
}

async fn every_job_of_a_moment_is_listed_once(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, vec![job(); 300]).await;
    desk.sql("UPDATE jobs SET created_at = 1780000000123456");
    let ids = pages(&desk, ALL, 7).await;
    let mut sorted = desk.lines("SELECT id AS line FROM jobs");
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(ids.iter().map(JobId::as_str).collect::<Vec<_>>(), sorted);
    assert_eq!(counted(&desk, ALL, 10_000).await, 300);
    assert_eq!(counted(&desk, ALL, 100).await, 100, "no further than asked");
}

async fn what_is_new_or_gone_between_two_pages_moves_no_other_job(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, vec![job(); 30]).await;
    let before = pages(&desk, ALL, 200).await;
    let (first, cursor) = page(&desk, ALL, None, 10).await;
    many(&desk, vec![job(); 5]).await;
    // Also when the job that the cursor stands at has gone.
    desk.sql(&format!("DELETE FROM jobs WHERE id = '{}'", first[9]));
    let (second, _) = page(&desk, ALL, cursor.as_deref(), 20).await;
    assert_eq!([first, second].concat(), before);
}

async fn a_filter_holds_for_the_page_and_for_the_count(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, vec![job(), NewJob { kind: "test.other", ..job() }, job()]).await;
    let running = desk.claim(1).await.remove(0).lease.id;
    for (filter, expected) in [
        (Filter { kind: Some("test.nothing"), ..ALL }, 2),
        (Filter { kind: Some("test.other"), ..ALL }, 1),
        (Filter { kind: Some("test.none"), ..ALL }, 0),
        (Filter { status: Some(JobStatus::Queued), ..ALL }, 2),
        (Filter { kind: Some("test.nothing"), status: Some(JobStatus::Queued), ..ALL }, 1),
    ] {
        assert_eq!(pages(&desk, filter, 2).await.len(), expected, "{filter:?}");
        assert_eq!(counted(&desk, filter, 100).await, expected as u64, "{filter:?}");
    }
    let filter = Filter { status: Some(JobStatus::Running), ..ALL };
    assert_eq!(pages(&desk, filter, 2).await, [running]);
}

async fn what_is_above_the_clearance_is_not_listed(installation: Installation) {
    let desk = Desk::open(installation).await;
    many(&desk, SecrecyLevel::ALL.map(|secrecy_level| NewJob { secrecy_level, ..job() }).to_vec()).await;
    for (visible, secrecy_level) in (1..).zip(SecrecyLevel::ALL) {
        let filter = Filter { secrecy_level, ..ALL };
        assert_eq!(pages(&desk, filter, 2).await.len(), visible, "{secrecy_level}");
        assert_eq!(counted(&desk, filter, 100).await, visible as u64, "{secrecy_level}");
    }
}
