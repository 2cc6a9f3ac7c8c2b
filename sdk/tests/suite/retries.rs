//! What is repeated, what is not, and with which idempotency key.

use crate::support::{Answer, Server, error, hang_up, json, scenarios};
use argus_sdk::{ArgusClient, Error, ErrorKind, Retry, types};
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

async fn create(client: &ArgusClient, key: Option<&str>) -> Result<types::JobCreated, Error> {
    let body = types::ExportJob::from(types::ExportPayload::default());
    let mut call = client.job_create().body(body);
    if let Some(key) = key {
        call = call.idempotency_key(key);
    }
    Ok(call.send().await?.into_inner())
}

fn created() -> Answer {
    json(
        201,
        &json!({
            "id": "job_1", "kind": "export.bulk", "status": "queued", "created_at": "2026-05-08T12:00:00Z",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }),
    )
}

fn keys(server: &Server) -> Vec<String> {
    server.asked().iter().map(|asked| asked.header("idempotency-key").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_job_is_created_with_one_generated_key_for_all_attempts_of_a_call() {
    let server = Server::start(|asked| match asked.before {
        0 => error(503, "unavailable"),
        1 => hang_up(),
        2 => error(502, "bad_gateway"),
        _ => created(),
    })
    .await;
    let client = server.client();
    create(&client, None).await.unwrap();
    let keys = keys(&server);
    assert_eq!(keys.len(), 4);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 1, "{keys:?}");
    let key = uuid::Uuid::parse_str(&keys[0]).unwrap();
    assert_eq!(key.get_version_num(), 4);
    let bodies: HashSet<_> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn two_calls_have_two_keys_and_the_callers_own_key_is_kept() {
    let server = Server::start(|_| created()).await;
    let client = server.client();
    create(&client, None).await.unwrap();
    create(&client, None).await.unwrap();
    create(&client, Some("mine")).await.unwrap();
    let keys = keys(&server);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "mine");
}

#[tokio::test]
async fn a_read_is_repeated_after_a_broken_connection() {
    let server = Server::start(|asked| if asked.before < 2 { hang_up() } else { scenarios() }).await;
    server.client().sandbox_scenario_list().send().await.unwrap();
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn a_write_without_a_key_is_not_repeated_once_it_may_have_been_acted_upon() {
    for (answer, kind) in [
        (hang_up as fn() -> Answer, ErrorKind::Transport),
        (|| error(502, "bad_gateway"), ErrorKind::Unavailable),
    ] {
        let server = Server::start(move |_| answer()).await;
        let call = server.client().webhook_test().webhook_id("w").send().await;
        assert_eq!(Error::from(call.unwrap_err()).kind(), kind);
        assert_eq!(server.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_write_without_a_key_is_repeated_when_the_server_asks_for_it() {
    let server = Server::start(|asked| match asked.before {
        0 => error(429, "rate_limited").with("retry-after", "0"),
        1 => error(503, "unavailable").with("retry-after", "Fri, 08 May 2026 12:00:00 GMT"),
        _ => json(202, &json!({ "delivery_id": "d", "status": "queued" })),
    })
    .await;
    server.client().webhook_test().webhook_id("w").send().await.unwrap();
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn a_long_retry_after_is_handed_to_the_caller_at_once() {
    let server = Server::start(|_| error(429, "rate_limited").with("retry-after", "120")).await;
    let error = Error::from(server.client().sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, Some("rate_limited")));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn retries_can_be_turned_off() {
    let server = Server::start(|_| error(503, "unavailable")).await;
    let client = server.builder().retry(Retry::none()).build().unwrap();
    let error = Error::from(client.sandbox_scenario_list().send().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_a_transport_error_without_its_address_in_the_text() {
    // It has an address that nobody else can get, and does not listen.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let environment = argus_sdk::Environment::custom(&address, &address, &address).unwrap().using_sandbox();
    let retry = Retry::default().base_delay(Duration::ZERO);
    let client = ArgusClient::builder().environment(environment).retry(retry).build().unwrap();
    let error = Error::from(client.job_view().id("private-id").send().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.is_transient());
    assert!(!format!("{error} {error:?}").contains("private-id"), "{error:?}");
}
