//! How soon an event reaches its receiver: from the commit that recorded it to the first byte of the request, one event
//! at a time.

use super::scene::Scene;
use crate::place::Place;
use crate::report::{Line, quantile};
use crate::statements;
use argus_core::outbox::{self, Happened};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::WebhookEvent;
use serde_json::json;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Events whose way is timed, one at a time.
const TIMED: usize = 500;
/// How long to wait for one that does not come.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn lines(place: &Place) -> Result<Vec<Line>, Box<dyn Error>> {
    let (address, came) = receive()?;
    let scene = Scene::new(place, address).await?;
    let couriers = scene.tell();
    let mut took = Vec::new();
    let statements_before = statements::count();
    for number in 0..TIMED {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let event = move |tx: &mut argus_core::store::Tx<'_>| {
            let data = json!({"profile_id": format!("p{number}"), "sources": [], "risk": {"level": "low", "score": 1}});
            let event = WebhookEvent::ProfileEnriched;
            outbox::append(tx, &Happened { event, subject: "p", secrecy_level: SecrecyLevel::Standard, data })
        };
        scene.database.requests.write(&scene.caller, event).await?;
        let recorded = Instant::now();
        scene.happenings.told();
        let first_byte = tokio::task::block_in_place(|| came.recv_timeout(PATIENCE))?;
        took.push(first_byte.saturating_duration_since(recorded).as_secs_f64() * 1000.0);
    }
    couriers.stop(Duration::from_secs(5)).await;
    let statements = (statements::count() - statements_before) as f64 / TIMED as f64;
    let engine = place.database.engine();
    let line = |what: String, measured: String, goal| Line {
        what,
        measured,
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal,
    };
    let (p50, p99) = (quantile(took.clone(), 0.5), quantile(took, 0.99));
    Ok(vec![
        line(
            format!("from an event to its first byte at the receiver on {engine}, p50"),
            format!("{p50:.2} ms"),
            "-",
        ),
        line(format!("the same, p99, on {engine}"), format!("{p99:.2} ms"), "at most 50 ms"),
        line(
            format!("statements to record and deliver an event that comes alone on {engine}"),
            format!("{statements:.2}"),
            "at most 6",
        ),
    ])
}

/// A receiver that says when the first byte of each request came. Its threads end with the process.
fn receive() -> io::Result<(SocketAddr, mpsc::Receiver<Instant>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (told, came) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            // A connection that the other side drops ends here.
            std::thread::spawn(move || answer(stream, &told));
        }
    });
    Ok((address, came))
}

fn answer(mut stream: TcpStream, told: &mpsc::Sender<Instant>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        if request.is_empty() {
            let _ = told.send(Instant::now());
        }
        request.extend_from_slice(&buffer[..read]);
        // Requests end with the object that they tell.
        if request.ends_with(b"}") {
            request.clear();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        }
    }
}
