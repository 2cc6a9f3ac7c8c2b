//! What becomes of deliveries in the course of time: how long they are attempted, what is kept of each attempt, and which
//! of them a replay takes.

use super::jobs::{JOBS, enqueue, import, profile};
use super::webhooks::{all_are, callers, listed, make_due, subscribe, text, work};
use argus_openapi::Host;
use argus_tests::{Caller, Receiver, TestServer, Treatment, look_for, on_both_engines, sql};
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

on_both_engines! {
    a_delivery_that_has_failed_for_a_day_is_given_up_until_somebody_asks_for_it
    a_callback_that_has_failed_for_a_day_is_given_up
    an_attempt_says_when_it_was_made_how_long_it_took_and_what_was_answered
    a_replay_takes_what_failed_or_was_skipped_within_its_bounds_and_nothing_else
}

/// For how long a delivery is attempted, in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

/// A day passes for deliveries that wait: the next attempt is their last one.
fn let_a_day_pass(server: &TestServer) {
    let pass = format!("UPDATE deliveries SET give_up_at = give_up_at - {DAY}");
    sql::execute(&mut server.connect(), &pass).unwrap();
}

fn attempts(delivery: &Value) -> Vec<Value> {
    delivery["attempts"].as_array().unwrap().clone()
}

async fn a_delivery_that_has_failed_for_a_day_is_given_up_until_somebody_asks_for_it(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_all(Treatment::Answer(500));
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    work(&worker).await;
    let attempted = |deliveries: &[Value]| deliveries.len() == 1 && !attempts(&deliveries[0]).is_empty();
    let [delivery] = listed(&subscriber, id, attempted).await.try_into().unwrap();
    assert_eq!(delivery["status"], "queued", "{delivery:#}");
    let patience = "SELECT CAST(give_up_at - created_at AS TEXT) AS line FROM deliveries";
    let [patience] = sql::lines(&mut server.connect(), patience).unwrap().try_into().unwrap();
    // The clock of SQLite goes on within a statement.
    assert!((DAY - 1_000_000..=DAY).contains(&patience.parse().unwrap()), "{patience}");
    let_a_day_pass(&server);
    make_due(&server);
    let [given_up] = listed(&subscriber, id, all_are("failed")).await.try_into().unwrap();
    assert_eq!(given_up["next_attempt_at"], Value::Null, "{given_up:#}");
    let made = attempts(&given_up);
    assert!(made.len() >= 2 && made.iter().all(|attempt| attempt["response_status"] == 500), "{given_up:#}");
    assert_eq!(receiver.came().len(), made.len());
    // It has another day, and is attempted as one that is new.
    let retry = format!("/v1/webhooks/{id}/deliveries/{}/retry", text(&given_up, "id"));
    subscriber.send(subscriber.request(Method::POST, &retry)).await.expect(202);
    let one_more = |deliveries: &[Value]| attempts(&deliveries[0]).len() > made.len();
    let [again] = listed(&subscriber, id, one_more).await.try_into().unwrap();
    assert!(again["status"] == "queued" && again["next_attempt_at"].is_string(), "{again:#}");
    receiver.treats_all(Treatment::Answer(204));
    make_due(&server);
    listed(&subscriber, id, all_are("succeeded")).await;
}

async fn a_callback_that_has_failed_for_a_day_is_given_up(server: TestServer) {
    let app = server.app(&JOBS).await;
    let worker = Caller { host: Host::Api, token: app.live_token(&[]).await, tenancy: app.tenancy.clone() };
    let receiver = Receiver::start().await;
    receiver.treats_all(Treatment::Answer(500));
    let mut job = import(&json!([profile("p1")]));
    job["callback_url"] = json!(receiver.url());
    let id = enqueue(&worker, &job).await;
    let among = |status: &str, attempts: u32| {
        let query = format!(
            "SELECT CAST(attempts AS TEXT) AS line FROM deliveries WHERE webhook_id IS NULL AND job_id = '{id}' \
             AND status = '{status}' AND attempts >= {attempts} AND lease IS NULL"
        );
        look_for(|| sql::lines(&mut server.connect(), &query).unwrap().pop())
    };
    among("queued", 1).expect("it waits for its second attempt");
    let_a_day_pass(&server);
    make_due(&server);
    let made = among("failed", 2).expect("it is given up");
    assert_eq!(receiver.came().len().to_string(), made);
    let due = "SELECT id AS line FROM deliveries WHERE due_at IS NOT NULL OR status = 'queued'";
    assert!(sql::lines(&mut server.connect(), due).unwrap().is_empty());
}

async fn an_attempt_says_when_it_was_made_how_long_it_took_and_what_was_answered(server: TestServer) {
    const PAUSE: Duration = Duration::from_millis(700);
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    receiver.treats_next([Treatment::Answer(418), Treatment::Take(PAUSE)]);
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    let (began, began_at) = (Instant::now(), Utc::now());
    work(&worker).await;
    let refused = |deliveries: &[Value]| deliveries.len() == 1 && !attempts(&deliveries[0]).is_empty();
    let [delivery] = listed(&subscriber, id, refused).await.try_into().unwrap();
    let first_took = began.elapsed();
    let refused = &attempts(&delivery)[0];
    assert_eq!((&refused["response_status"], &refused["failure"]), (&json!(418), &Value::Null));
    assert_eq!(refused["response_excerpt"], "the receiver says 418 I'm a teapot");
    let began = Instant::now();
    make_due(&server);
    let [delivery] = listed(&subscriber, id, all_are("succeeded")).await.try_into().unwrap();
    let second_took = began.elapsed().max(PAUSE);
    let [first, second] = attempts(&delivery).try_into().unwrap();
    assert_eq!(&first, refused, "what was kept stays");
    assert_eq!((&second["response_status"], &second["failure"]), (&json!(204), &Value::Null));
    let took = |attempt: &Value| Duration::from_millis(attempt["duration_ms"].as_u64().unwrap());
    assert!(took(&first) <= first_took, "{first} of {first_took:?}");
    // It may have begun before it was made due.
    assert!(
        took(&second) >= PAUSE && took(&second) <= second_took + first_took,
        "{second} of {second_took:?}"
    );
    let mut before = began_at - TimeDelta::milliseconds(1);
    for (attempt, came) in [first, second].iter().zip(receiver.came()) {
        let attempted_at: DateTime<Utc> = text(attempt, "attempted_at").parse().unwrap();
        assert!(before <= attempted_at && attempted_at <= came.came_at, "{attempt}: {came:?}");
        before = attempted_at;
    }
    assert_eq!(delivery["attempted_at"], delivery["attempts"][1]["attempted_at"]);
}

async fn a_replay_takes_what_failed_or_was_skipped_within_its_bounds_and_nothing_else(server: TestServer) {
    let (subscriber, worker) = callers(&server).await;
    let receiver = Receiver::start().await;
    let created = subscribe(&subscriber, &receiver, &["job.succeeded"]).await;
    let id = text(&created, "id");
    let states = ["failed", "succeeded", "skipped", "failed", "skipped", "failed"];
    for _ in states {
        work(&worker).await;
    }
    let each_succeeded =
        |deliveries: &[Value]| deliveries.len() == states.len() && all_are("succeeded")(deliveries);
    let deliveries = listed(&subscriber, id, each_succeeded).await;
    let ids: Vec<&str> = deliveries.iter().map(|delivery| text(delivery, "id")).collect();
    // One an hour, the newest an hour ago.
    let first = Utc::now() - TimeDelta::hours(states.len() as i64);
    let hour = |number: i64| first + TimeDelta::hours(number);
    let lay_out = || {
        let each = ids.iter().zip(states).zip(0..).map(|((id, state), number)| {
            let at = hour(number).timestamp_micros();
            format!("UPDATE deliveries SET status = '{state}', created_at = {at} WHERE id = '{id}';")
        });
        sql::execute(&mut server.connect(), &each.collect::<String>()).unwrap();
    };
    let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let micro = TimeDelta::microseconds(1);
    let failed_or_skipped = Value::Null;
    for (since, until, statuses, expected) in [
        // From the first moment on, until the last one, which is not in it.
        (hour(0), hour(5), &failed_or_skipped, vec![0, 2, 3, 4]),
        (hour(0), hour(5) + micro, &failed_or_skipped, vec![0, 2, 3, 4, 5]),
        (hour(0) + micro, hour(4), &failed_or_skipped, vec![2, 3]),
        (hour(3), hour(3) + micro, &failed_or_skipped, vec![3]),
        (hour(1), hour(2), &failed_or_skipped, vec![]),
        (hour(0), hour(6), &json!(["skipped"]), vec![2, 4]),
        (hour(0), hour(6), &json!(["succeeded"]), vec![1]),
        (hour(1), hour(4), &json!(["failed", "succeeded"]), vec![1, 3]),
        (hour(4), hour(3), &json!(["failed", "skipped", "succeeded"]), vec![]),
        (hour(3), hour(3), &failed_or_skipped, vec![]),
    ] {
        lay_out();
        let came = receiver.came().len();
        let mut range = json!({"since": moment(since), "until": moment(until)});
        if !statuses.is_null() {
            range["statuses"] = statuses.clone();
        }
        let replayed = subscriber.post(&format!("/v1/webhooks/{id}/replay"), &range).await.expect(202).json();
        assert_eq!(replayed, json!({"queued": expected.len()}), "{range}");
        receiver.wait_for(came + expected.len()).await;
        // It is over before the next one begins.
        let none_waits = |deliveries: &[Value]| deliveries.iter().all(|each| each["status"] != "queued");
        listed(&subscriber, id, none_waits).await;
        let came: BTreeSet<String> =
            receiver.came()[came..].iter().map(|each| each.header("webhook-id").to_owned()).collect();
        assert_eq!(came, expected.iter().map(|place| ids[*place].to_owned()).collect(), "{range}");
    }
}
