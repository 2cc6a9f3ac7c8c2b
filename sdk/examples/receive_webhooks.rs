//! Receives webhooks: listens on this machine, subscribes to the jobs that succeed, does one and prints the typed event
//! that it is told of, all against a running `argus dev`.
//!
//! Start the server with `cargo run`; it prints the line that runs this example. `ARGUS_READY_FILE` names the file that
//! it writes, with its addresses and a token.

#![allow(clippy::print_stdout)]

use argus_sdk::receiver::{Delivery, Event, Receiver};
use argus_sdk::types::{ImportJob, ProfileKind, ProfileRecord, WebhookCreate, WebhookEvent};
use argus_sdk::webhooks::Verifier;
use argus_sdk::{ArgusClient, Credentials, Environment};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

type Failure = Box<dyn std::error::Error>;

/// Where the server is, and a token of its live hosts.
#[derive(serde::Deserialize)]
pub struct Setup {
    /// Base URL of the auth host.
    pub auth: String,
    /// Base URL of the API host.
    pub api: String,
    /// Base URL of the sandbox host.
    pub sandbox: String,
    /// A token that may do jobs and subscribe.
    pub live_token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let path =
        std::env::var("ARGUS_READY_FILE").map_err(|_| "set ARGUS_READY_FILE; `argus dev` prints it")?;
    let event = run(serde_json::from_slice(&std::fs::read(path)?)?).await?;
    println!("{event:#?}");
    Ok(())
}

/// What the handler needs.
#[derive(Clone)]
struct App {
    receiver: Receiver,
    /// A delivery may come again; a service would keep what it has taken longer than its process lives.
    taken: Arc<Mutex<HashSet<String>>>,
    events: UnboundedSender<Event>,
}

impl FromRef<App> for Receiver {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

/// Answers at once, and leaves the work to whoever reads the events.
async fn take(State(app): State<App>, delivery: Delivery) -> StatusCode {
    let is_new = app.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery.id);
    if is_new && app.events.send(delivery.event).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::NO_CONTENT
}

/// All of it; returns the event.
pub async fn run(setup: Setup) -> Result<Event, Failure> {
    let client = ArgusClient::builder()
        .environment(Environment::custom(&setup.auth, &setup.api, &setup.sandbox)?)
        .credentials(Credentials::token(setup.live_token))
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let subscription = WebhookCreate::builder()
        .url(format!("http://{}/webhooks", listener.local_addr()?))
        .events([WebhookEvent::JobSucceeded]);
    let webhook = client.webhook_create().body(subscription).send().await?.into_inner();
    // It is shown this once: a service would keep it.
    let secret = webhook.secret.ok_or("no secret was made")?;

    let (events, told) = unbounded_channel();
    let receiver = Receiver::new(Verifier::new(secret));
    let app = App { receiver, taken: Arc::default(), events };
    let router = Router::new().route("/webhooks", post(take)).with_state(app);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let event = work(&client, told).await;
    server.abort();
    client.webhook_delete().webhook_id(webhook.id).send().await?;
    event
}

/// Does a job, and waits for the event that tells of it.
async fn work(client: &ArgusClient, mut told: UnboundedReceiver<Event>) -> Result<Event, Failure> {
    let wallet = ProfileRecord::builder().id("p1").kind(ProfileKind::Wallet).display_name("Cold wallet 7");
    let job = ImportJob::of([wallet.try_into()?]);
    let job = client.job_create().body(job).send().await?.into_inner();
    println!("{} is {}", job.id, job.status);
    loop {
        let event = timeout(Duration::from_secs(60), told.recv()).await?.ok_or("the receiver has ended")?;
        match &event {
            Event::JobSucceeded(succeeded) if succeeded.data.id == job.id => return Ok(event),
            other => println!("another event: {:?}", other.name()),
        }
    }
}
