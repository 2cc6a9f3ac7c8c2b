//! Accepting jobs, and what an idempotency key does.

use super::{Desk, job};
use argus_core::context::Live;
use argus_core::jobs::intake::Intake;
use argus_core::jobs::{Enqueued, NewJob, Receipt};
use argus_core::store::AnyConnection;
use argus_core::{Context, Error};
use argus_tests::{Installation, on_both_engines, sql};
use std::time::Duration;

on_both_engines! {
    a_key_gives_the_first_job_again_whatever_else_is_asked_for
    a_key_is_the_tenant_s_own
    a_key_is_free_after_a_day
    of_many_at_once_with_one_key_one_makes_a_job
    a_job_keeps_the_trace_of_its_request
    jobs_that_arrive_together_are_accepted_together
    of_those_that_arrive_together_with_one_key_the_first_makes_the_job
    callers_of_different_tenants_who_arrive_together_each_get_their_own
    a_job_that_cannot_be_written_costs_those_beside_it_nothing
    whoever_waits_while_the_database_is_away_is_told_so
}

/// Keeps everybody from writing jobs until the connection says otherwise.
fn hold(desk: &Desk) -> AnyConnection {
    let mut holder = desk.installation.connect();
    let is_sqlite = desk.installation.is_sqlite();
    let lock = if is_sqlite { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE" };
    sql::execute(&mut holder, lock).unwrap();
    holder
}

/// What became of jobs of which none could be written before all had arrived.
async fn accept_together<const N: usize>(
    desk: &Desk,
    jobs: [(&Context<Live>, NewJob); N],
) -> [Result<Enqueued, Error>; N] {
    let (intake, mut holder) = (Intake::new(desk.database.requests.clone()), hold(desk));
    let accepted =
        futures::future::join_all(jobs.into_iter().map(|(caller, job)| intake.accept(caller, job)));
    let release = async { sql::execute(&mut holder, "ROLLBACK").unwrap() };
    futures::join!(accepted, release).0.try_into().unwrap()
}

fn new(outcome: Result<Enqueued, Error>) -> Receipt {
    match outcome {
        Ok(Enqueued::New(receipt)) => receipt,
        other => panic!("{other:?} is not new"),
    }
}

async fn jobs_that_arrive_together_are_accepted_together(installation: Installation) {
    let desk = Desk::open(installation).await;
    let jobs = std::array::from_fn::<_, 40, _>(|number| {
        (&desk.caller, NewJob { payload: number.to_string(), ..with_key(&format!("key {number}")) })
    });
    let accepted = accept_together(&desk, jobs).await.map(new);
    for (number, receipt) in accepted.iter().enumerate() {
        let kept = desk.lines(&format!(
            "SELECT payload || ' ' || idempotency_key AS line FROM jobs WHERE id = '{}'",
            receipt.id
        ));
        assert_eq!(kept, [format!("{number} key {number}")], "each caller is told of its own job");
    }
    if !desk.installation.is_sqlite() {
        let transactions = desk.lines("SELECT count(DISTINCT xmin::text)::text AS line FROM jobs");
        // The first may have begun before the others had arrived.
        assert!(transactions[0].parse::<u32>().unwrap() <= 2, "{transactions:?}");
    }
}

async fn of_those_that_arrive_together_with_one_key_the_first_makes_the_job(installation: Installation) {
    let desk = Desk::open(installation).await;
    // Whatever comes first may be written before the others have arrived.
    let jobs = std::array::from_fn::<_, 20, _>(|number| {
        (&desk.caller, if number == 0 { job() } else { with_key("k") })
    });
    let [other, first, later @ ..] = accept_together(&desk, jobs).await;
    let first = new(first);
    assert_ne!(new(other).id, first.id);
    for each in later {
        assert_eq!(each.unwrap(), Enqueued::Replayed(first.clone()));
    }
    assert_eq!(desk.lines("SELECT count(*) || '' AS line FROM jobs"), ["2"]);
}

async fn callers_of_different_tenants_who_arrive_together_each_get_their_own(installation: Installation) {
    let desk = Desk::open(installation).await;
    let stranger = desk.stranger().await;
    let jobs = [(&desk.caller, with_key("k")), (&stranger, with_key("k"))];
    let [own, foreign] = accept_together(&desk, jobs).await.map(new);
    for (receipt, caller) in [(own, &desk.caller), (foreign, &stranger)] {
        let tenant = desk.lines(&format!("SELECT tenant_id AS line FROM jobs WHERE id = '{}'", receipt.id));
        assert_eq!(tenant, [caller.tenant_id().as_str()]);
    }
}

async fn a_job_that_cannot_be_written_costs_those_beside_it_nothing(installation: Installation) {
    let desk = Desk::open(installation).await;
    desk.sql(if desk.installation.is_sqlite() {
        "CREATE TRIGGER refuse BEFORE INSERT ON jobs WHEN NEW.payload = 'bad' \
         BEGIN SELECT RAISE(ABORT, 'refused'); END"
    } else {
        "ALTER TABLE jobs ADD CONSTRAINT refuse CHECK (payload <> 'bad')"
    });
    let bad = NewJob { payload: "bad".to_owned(), ..job() };
    let jobs = [(&desk.caller, job()), (&desk.caller, bad), (&desk.caller, job())];
    let [first, bad, last] = accept_together(&desk, jobs).await;
    assert!(matches!(bad, Err(Error::Store(error)) if !error.is_transient()));
    assert_ne!(new(first).id, new(last).id);
    assert_eq!(desk.lines("SELECT count(*) || '' AS line FROM jobs"), ["2"]);
    desk.sql(if desk.installation.is_sqlite() {
        "DROP TRIGGER refuse"
    } else {
        "ALTER TABLE jobs DROP CONSTRAINT refuse"
    });
}

async fn whoever_waits_while_the_database_is_away_is_told_so(mut installation: Installation) {
    installation.settings.store.deadlines.work = Duration::from_millis(300);
    let desk = Desk::open(installation).await;
    let (intake, mut holder) = (Intake::new(desk.database.requests.clone()), hold(&desk));
    let outcomes = futures::future::join_all((0..2).map(|_| intake.accept(&desk.caller, job())));
    for outcome in outcomes.await {
        assert!(matches!(outcome, Err(Error::Store(error)) if error.is_transient()));
    }
    sql::execute(&mut holder, "ROLLBACK").unwrap();
    let [accepted] = accept_together(&desk, [(&desk.caller, job())]).await;
    assert_eq!(desk.lines("SELECT id AS line FROM jobs"), [new(accepted).id.as_str()]);
}

fn with_key(key: &str) -> NewJob {
    NewJob { idempotency_key: Some(key.to_owned()), ..job() }
}

async fn a_key_gives_the_first_job_again_whatever_else_is_asked_for(installation: Installation) {
    let desk = Desk::open(installation).await;
    let Enqueued::New(first) = desk.enqueue_as(&desk.caller, with_key("k")).await else { panic!("not new") };
    let other = NewJob { kind: "test.other", payload: "[]".to_owned(), ..with_key("k") };
    assert_eq!(desk.enqueue_as(&desk.caller, other).await, Enqueued::Replayed(first.clone()));
    // Whatever has become of the job.
    let claimed = desk.claim(1).await;
    assert!(desk.end(&claimed[0].lease, super::failed()).await);
    assert_eq!(desk.enqueue_as(&desk.caller, with_key("k")).await, Enqueued::Replayed(first));
    assert!(matches!(desk.enqueue_as(&desk.caller, with_key("l")).await, Enqueued::New(_)));
    assert!(matches!(desk.enqueue_as(&desk.caller, job()).await, Enqueued::New(_)));
}

async fn a_key_is_the_tenant_s_own(installation: Installation) {
    let desk = Desk::open(installation).await;
    let stranger = desk.stranger().await;
    assert!(matches!(desk.enqueue_as(&desk.caller, with_key("k")).await, Enqueued::New(_)));
    assert!(matches!(desk.enqueue_as(&stranger, with_key("k")).await, Enqueued::New(_)));
}

async fn a_key_is_free_after_a_day(installation: Installation) {
    let desk = Desk::open(installation).await;
    let Enqueued::New(first) = desk.enqueue_as(&desk.caller, with_key("k")).await else { panic!("not new") };
    let hour = 3_600_000_000_i64;
    desk.sql(&format!("UPDATE jobs SET created_at = created_at - {}", 24 * hour - hour / 60));
    let Enqueued::Replayed(replayed) = desk.enqueue_as(&desk.caller, with_key("k")).await else {
        panic!("a minute before the day is over it is the first job's")
    };
    assert_eq!(replayed.id, first.id);
    desk.sql(&format!("UPDATE jobs SET created_at = created_at - {}", hour / 60));
    let Enqueued::New(second) = desk.enqueue_as(&desk.caller, with_key("k")).await else { panic!("not new") };
    assert_eq!(desk.enqueue_as(&desk.caller, with_key("k")).await, Enqueued::Replayed(second.clone()));
    assert_ne!(second.id, first.id);
    assert_eq!(desk.view(&first.id).await.id, first.id, "the first job is still there");
}

async fn of_many_at_once_with_one_key_one_makes_a_job(installation: Installation) {
    let desk = Desk::open(installation).await;
    let all = (0..50).map(|_| desk.enqueue_as(&desk.caller, with_key("k")));
    let all = futures::future::join_all(all).await;
    let new: Vec<_> = all.iter().filter(|each| matches!(each, Enqueued::New(_))).collect();
    assert_eq!(new.len(), 1);
    let Enqueued::New(first) = new[0] else { unreachable!() };
    assert!(
        all.iter().all(|each| matches!(each, Enqueued::New(job) | Enqueued::Replayed(job) if job == first))
    );
    assert_eq!(desk.lines("SELECT id AS line FROM jobs"), [first.id.as_str()]);
}

async fn a_job_keeps_the_trace_of_its_request(installation: Installation) {
    use argus_core::context::Trace;
    let desk = Desk::open(installation).await;
    let trace = Trace { state: Some("a=1,b=2".into()), ..Trace::begin() };
    let mut invocation = desk.caller.invocation().clone();
    invocation.trace = Some(trace.clone());
    let receipt = desk.job_of(&Context::new(invocation, Live)).await;
    assert_eq!(receipt.trace_id, trace.parent.ids.trace_hex());
    assert_eq!(desk.view(&receipt.id).await.trace_id, receipt.trace_id);
    let claimed = desk.claim(1).await;
    assert_eq!(claimed[0].trace.as_ref(), Some(&trace));
    assert!(desk.end(&claimed[0].lease, super::failed()).await);
    let told = desk.lines("SELECT traceparent || ' ' || tracestate AS line FROM outbox");
    assert_eq!(told, [format!("{} a=1,b=2", trace.parent)]);
}
