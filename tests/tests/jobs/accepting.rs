//! Accepting jobs, and what an idempotency key does.

use super::{Desk, job};
use argus_core::jobs::{Enqueued, NewJob};
use argus_tests::{Installation, on_both_engines};

on_both_engines! {
    a_key_gives_the_first_job_again_whatever_else_is_asked_for
    a_key_is_the_tenant_s_own
    a_key_is_free_after_a_day
    of_many_at_once_with_one_key_one_makes_a_job
    a_job_keeps_the_trace_of_its_request
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
    use argus_core::Context;
    use argus_core::context::{Live, Trace};
    let desk = Desk::open(installation).await;
    let trace = Trace { state: Some("a=1,b=2".into()), ..Trace::begin().unwrap() };
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
