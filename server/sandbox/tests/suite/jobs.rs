//! Jobs under the virtual clock.

use crate::support::{Session, ask, body};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::{JobCreate, JobKind, JobQuery, JobStatus};
use argus_sandbox::partner;
use serde_json::{Value, json};

fn created() -> Value {
    body(&ask("", &partner::JobCreate { idempotency_key: None, body: &crate::support::job(&["p1", "p2"]) }))
}

fn id(job: &Value) -> &str {
    job["id"].as_str().expect("an id")
}

fn view(id: &str, prefer: &str) -> Value {
    body(&ask(prefer, &partner::JobView { id }))
}

#[test]
fn a_job_is_queued_then_runs_with_rising_progress_then_has_succeeded() {
    let job = created();
    assert_eq!(job["status"], "queued");
    assert_eq!(job["created_at"], "2026-05-08T12:00:00Z");
    let mut before = -1;
    for second in 0..40 {
        let view = view(id(&job), &format!("argus-clock={second}"));
        let (status, progress) = (view["status"].as_str(), view["progress_pct"].as_i64().expect("a number"));
        match second {
            0 => assert_eq!((status, progress), (Some("queued"), 0)),
            1..30 => assert!(status == Some("running") && progress > before && progress < 100, "{view}"),
            _ => assert_eq!((status, progress), (Some("succeeded"), 100)),
        }
        assert_eq!(view["completed_at"].is_null(), second < 30);
        for member in ["id", "kind", "created_at", "trace_id"] {
            assert_eq!(view[member], job[member]);
        }
        before = progress;
    }
}

#[test]
fn a_job_above_the_caller_s_own_secrecy_is_refused() {
    let levels =
        [SecrecyLevel::Standard, SecrecyLevel::Restricted, SecrecyLevel::Confidential, SecrecyLevel::Secret];
    for own in levels {
        let session = Session { secrecy_level: own, ..Session::new(&[], "") };
        for asked in levels {
            let job = JobCreate { secrecy_level: Some(asked), ..crate::support::job(&["p1"]) };
            let mock = session.ask(&partner::JobCreate { idempotency_key: None, body: &job });
            let error_code = body(&mock)["error_code"].clone();
            let expected =
                if asked > own { (403, json!("secrecy_level_exceeded")) } else { (201, Value::Null) };
            assert_eq!((mock.status, error_code), expected, "{asked:?} asked with {own:?}");
        }
    }
}

#[test]
fn without_the_clock_a_viewed_job_has_succeeded() {
    let job = created();
    let view = view(id(&job), "");
    assert_eq!(view["status"], "succeeded");
    assert_eq!(view["completed_at"], "2026-05-08T12:00:30Z");
    assert_eq!(view["updated_at"], "2026-05-08T12:00:30Z");
    assert_eq!(view["error"], Value::Null);
}

#[test]
fn a_job_that_is_created_later_is_viewed_on_the_same_clock() {
    let request = crate::support::job(&["p1"]);
    let mock = ask("argus-clock=100", &partner::JobCreate { idempotency_key: None, body: &request });
    assert_eq!(mock.preference_applied.as_deref(), Some("argus-clock=100"));
    let job = body(&mock);
    assert_eq!(job["created_at"], "2026-05-08T12:01:40Z");
    assert_eq!(view(id(&job), "argus-clock=99")["status"], "queued");
    assert_eq!(view(id(&job), "argus-clock=115")["progress_pct"], 50);
    assert_eq!(view(id(&job), "argus-clock=130")["status"], "succeeded");
}

#[test]
fn a_result_is_there_when_the_job_has_succeeded_and_for_thirty_days() {
    let job = created();
    let result = |prefer: &str| ask(prefer, &partner::JobResult { id: id(&job) });
    assert_eq!((result("argus-clock=0").status, result("argus-clock=29").status), (202, 202));
    assert_eq!(body(&result("argus-clock=15")), json!({ "status": "running", "progress_pct": 50 }));
    let done = body(&result(""));
    assert_eq!(done["status"], "succeeded");
    assert_eq!(done["result_ref"], format!("r2://argus-jobs/results/{}.ndjson", id(&job)));
    let url = done["signed_url"].as_str().expect("a URL");
    assert!(url.starts_with("https://sandbox-api.knogin.com/objects/results/"), "{url}");
    assert_eq!(result("argus-clock=2592030").status, 200);
    assert_eq!(result("argus-clock=2592031").status, 410);
    assert_eq!(body(&result("argus-clock=2592031"))["error_code"], "gone");
    assert_eq!(result("argus-clock=2592031").preference_applied.as_deref(), Some("argus-clock=2592031"));
    assert_eq!(body(&result("code=202"))["status"], "running");
}

#[test]
fn a_job_can_be_cancelled_until_it_ends() {
    let job = created();
    let cancel = |prefer: &str| ask(prefer, &partner::JobCancel { id: id(&job) }).status;
    assert_eq!((cancel(""), cancel("argus-clock=29"), cancel("argus-clock=30")), (204, 204, 409));
}

#[test]
fn a_job_takes_the_upload_that_the_sandbox_made_and_any_other() {
    let upload = body(&ask("", &partner::UploadCreate));
    assert_eq!(upload["expires_at"], "2026-05-08T13:00:00Z");
    let url = upload["upload_url"].as_str().expect("a URL");
    let reference = upload["upload_ref"].as_str().expect("a reference");
    assert!(url.starts_with("https://sandbox-api.knogin.com/") && url.contains(reference), "{url}");
    for upload_ref in [reference, "upl_1"] {
        let request = json!({ "kind": "import.bulk", "payload": { "upload_ref": upload_ref } }).to_string();
        let body = &crate::support::read_job(&request);
        assert_eq!(ask("", &partner::JobCreate { idempotency_key: None, body }).status, 201, "{upload_ref}");
    }
}

fn page(query: &JobQuery, prefer: &str) -> Value {
    body(&ask(prefer, &partner::JobList { query }))
}

/// All entries that match, page by page.
fn listed(query: JobQuery, prefer: &str) -> Vec<Value> {
    let mut query = query;
    let mut jobs = Vec::new();
    loop {
        let page = page(&query, prefer);
        jobs.extend(page["jobs"].as_array().expect("a list").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => query.cursor = Some(cursor.to_owned()),
            None => {
                assert_eq!(page["total_count"], jobs.len());
                return jobs;
            }
        }
    }
}

#[test]
fn every_listed_job_agrees_with_its_view_at_any_time() {
    for prefer in ["", "argus-clock=0", "argus-clock=10", "argus-clock=1000"] {
        let jobs = listed(JobQuery { limit: Some(50), ..JobQuery::default() }, prefer);
        assert_eq!(jobs.len(), 120);
        for job in jobs {
            let view = view(id(&job), prefer);
            for (member, value) in job.as_object().expect("an object") {
                assert_eq!(&view[member], value, "{member} of {job}");
            }
            assert_eq!(view["error"].is_null(), view["status"] != "failed");
        }
    }
}

#[test]
fn the_list_shows_every_state_and_the_filters_keep_their_word() {
    let all = listed(JobQuery::default(), "argus-clock=0");
    for status in
        [JobStatus::Queued, JobStatus::Running, JobStatus::Succeeded, JobStatus::Failed, JobStatus::Cancelled]
    {
        let jobs =
            listed(JobQuery { status: Some(status), limit: Some(3), ..JobQuery::default() }, "argus-clock=0");
        let expected: Vec<_> = all.iter().filter(|job| job["status"] == json!(status)).cloned().collect();
        assert!(!jobs.is_empty(), "{status:?}");
        assert_eq!(jobs, expected);
    }
    for kind in JobKind::ALL {
        let jobs = listed(JobQuery { kind: Some(kind), ..JobQuery::default() }, "");
        assert!(!jobs.is_empty() && jobs.iter().all(|job| job["kind"] == json!(kind)), "{kind:?}");
    }
    let times: Vec<&str> = all.iter().map(|job| job["created_at"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "newest first");
}

#[test]
fn some_listed_jobs_of_a_common_kind_are_queued_or_running_without_a_clock() {
    for status in [JobStatus::Queued, JobStatus::Running] {
        let kind = Some(JobKind::IntelligenceEnrichBulk);
        let jobs = listed(JobQuery { kind, status: Some(status), ..JobQuery::default() }, "");
        assert!(!jobs.is_empty(), "{status:?}");
        for job in jobs {
            assert_eq!(view(id(&job), "")["status"], json!(status));
            assert_eq!(ask("", &partner::JobResult { id: id(&job) }).status, 202);
            assert_eq!(ask("", &partner::JobCancel { id: id(&job) }).status, 204);
        }
    }
}

#[test]
fn results_and_cancellation_of_ended_jobs_follow_their_state() {
    for job in listed(JobQuery::default(), "argus-clock=1000") {
        let result = ask("argus-clock=1000", &partner::JobResult { id: id(&job) }).status;
        let cancel = ask("argus-clock=1000", &partner::JobCancel { id: id(&job) }).status;
        let expected = match job["status"].as_str() {
            Some("succeeded") => (200, 409),
            Some("failed") => (409, 409),
            Some("cancelled") => (409, 200),
            other => panic!("{other:?}"),
        };
        assert_eq!((result, cancel), expected, "{job}");
    }
}

#[test]
fn a_cursor_of_other_filters_is_refused() {
    let first = page(&JobQuery { limit: Some(5), ..JobQuery::default() }, "");
    let cursor = first["next_cursor"].as_str().map(str::to_owned);
    let query = JobQuery { kind: Some(JobKind::ExportBulk), cursor, ..JobQuery::default() };
    let mock = ask("", &partner::JobList { query: &query });
    assert_eq!((mock.status, &body(&mock)["error_code"]), (400, &json!("invalid_request")));
}
