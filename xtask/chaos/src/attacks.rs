//! Connections that say nothing, too little or too slowly, and readers that stop: all at once, each closed
//! in its time, while good clients are served.

use crate::busy::PREFACE;
use crate::dial::{Dial, EVIL, Protocol, head};
use crate::good::GoodClient;
use crate::report::Report;
use crate::scene::Scene;
use argus_openapi::Host;
use argus_tests::Stream;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many connections each attack has.
const EACH: usize = 8;
/// Between two bytes of who drips.
const DRIP: Duration = Duration::from_millis(500);
/// Connections to a host of Argus that nginx keeps for those who come next.
const KEPT: usize = 6;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// What nginx may take beyond its limits.
const GRACE: Duration = Duration::from_secs(4);

/// Record and handshake header of a ClientHello that promises more.
const HALF_CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// A way to hold a connection.
#[derive(Clone, Copy)]
enum Attack {
    Silence,
    HalfClientHello,
    SilenceInTls,
    OneByte,
    HalfPreface,
    IdleHttp2,
    PlainHttp2,
    HalfHeader,
    HeaderDrip,
    NoBody,
    IdleAfterRequest,
}

/// Each with its name and the seconds after which nginx ends it.
const ATTACKS: [(Attack, &str, u64); 11] = [
    (Attack::Silence, "a connection that says nothing is closed", 10),
    (Attack::HalfClientHello, "half a TLS handshake is closed", 10),
    (Attack::SilenceInTls, "silence after the TLS handshake is closed", 10),
    (Attack::OneByte, "one byte of a request is closed", 10),
    (Attack::HalfPreface, "half an HTTP/2 preface is closed", 10),
    (Attack::IdleHttp2, "an idle HTTP/2 session is closed", 10),
    (Attack::PlainHttp2, "HTTP/2 without TLS is refused", 0),
    (Attack::HalfHeader, "half a header is closed", 10),
    (Attack::HeaderDrip, "a header that drips is closed", 10),
    (Attack::NoBody, "a body that does not come is closed", 10),
    (Attack::IdleAfterRequest, "an idle connection is closed", 30),
];

/// Runs all of them.
pub async fn run(scene: &Arc<Scene>, report: &mut Report, short: bool) {
    let good = GoodClient::start(scene);
    let attacks: Vec<_> = ATTACKS
        .into_iter()
        .filter(|(_, _, limit)| !short || *limit <= 10)
        .map(|(attack, name, limit)| (name, tokio::spawn(attacked(Arc::clone(scene), attack, limit))))
        .collect();
    let readers = tokio::spawn(readers_that_stop(Arc::clone(scene), short));
    let drips = tokio::spawn(bodies_that_drip(Arc::clone(scene)));
    for (name, attack) in attacks {
        report.check(name, async { attack.await.unwrap() }).await;
    }
    report.check("readers that stop hold nothing of Argus", async { readers.await.unwrap() }).await;
    report.check("bodies that drip do not reach Argus", async { drips.await.unwrap() }).await;
    report.check("good clients are served during all of it", good.stop()).await;
    if !short {
        report.check("nginx has no connection left", nothing_is_left(Arc::clone(scene))).await;
    }
}

async fn attacked(scene: Arc<Scene>, attack: Attack, limit: u64) -> String {
    let limit = Duration::from_secs(limit) + GRACE;
    let attackers: Vec<_> = (0..EACH)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                let stream = attack.begin(&scene.dial).await.unwrap();
                let began = Instant::now();
                let ended = tokio::time::timeout(limit, attack.hold(stream)).await;
                assert!(ended.is_ok(), "still open after {limit:?}");
                began.elapsed()
            })
        })
        .collect();
    let mut longest = Duration::ZERO;
    for attacker in attackers {
        longest = longest.max(attacker.await.unwrap());
    }
    format!("{EACH} connections, after {:.1} s at most", longest.as_secs_f64())
}

impl Attack {
    /// The connection, and what is said on it at once.
    async fn begin(self, dial: &Dial) -> io::Result<Box<dyn Stream>> {
        let host = Host::Sandbox;
        let (mut stream, said): (Box<dyn Stream>, Vec<u8>) = match self {
            Self::Silence => (Box::new(dial.plain(EVIL).await?), Vec::new()),
            Self::HalfClientHello => (Box::new(dial.plain(EVIL).await?), HALF_CLIENT_HELLO.to_vec()),
            Self::PlainHttp2 => (Box::new(dial.plain(EVIL).await?), PREFACE.to_vec()),
            Self::IdleHttp2 => (Box::new(dial.tls(EVIL, host, Protocol::Http2).await?), PREFACE.to_vec()),
            Self::HalfPreface => {
                (Box::new(dial.tls(EVIL, host, Protocol::Http2).await?), PREFACE[..8].to_vec())
            }
            _ => {
                let said = match self {
                    Self::OneByte => "P".to_owned(),
                    Self::HalfHeader | Self::HeaderDrip => "GET /healthz HTTP/1.1\r\nhost: sand".to_owned(),
                    Self::NoBody => head("POST", "/v1/jobs", host, "content-length: 10\r\n"),
                    Self::IdleAfterRequest => head("GET", "/healthz", host, ""),
                    _ => String::new(),
                };
                (Box::new(dial.tls(EVIL, host, Protocol::Http1).await?), said.into_bytes())
            }
        };
        stream.write_all(&said).await?;
        stream.flush().await?;
        Ok(stream)
    }

    /// Reads, and drips if it is one who drips, until the other side ends the connection.
    async fn hold(self, stream: Box<dyn Stream>) {
        let (mut read, mut write) = tokio::io::split(stream);
        let drip = async {
            loop {
                tokio::time::sleep(DRIP).await;
                if matches!(self, Self::HeaderDrip) && write.write_all(b"a").await.is_err() {
                    return;
                }
                // What TLS has not sent yet.
                let _ = write.flush().await;
            }
        };
        let close = async {
            let mut bytes = [0; 4096];
            while matches!(read.read(&mut bytes).await, Ok(1..)) {}
        };
        tokio::select! { () = drip => {}, () = close => {} }
    }
}

/// Asks for more than any buffer holds and reads nothing of it.
async fn readers_that_stop(scene: Arc<Scene>, short: bool) -> String {
    const DOCUMENTS: usize = 200;
    let request = head("GET", "/.well-known/openapi.json", Host::Api, "").repeat(DOCUMENTS);
    let mut readers = Vec::new();
    for _ in 0..EACH {
        let mut stream = scene.dial.tls(EVIL, Host::Api, Protocol::Http1).await.unwrap();
        // The proxy stops reading when it cannot write.
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(request.as_bytes())).await;
        readers.push(stream);
    }
    let began = Instant::now();
    let mut held = 0;
    let freed = async {
        loop {
            let now = scene.connections_of_argus(Host::Api);
            held = held.max(now);
            if held >= EACH && now <= KEPT {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let freed = tokio::time::timeout(Duration::from_secs(10) + GRACE, freed).await;
    let left = scene.connections_of_argus(Host::Api);
    assert!(freed.is_ok(), "Argus had {held} connections and still has {left}");
    let seen =
        format!("{held} connections of Argus were free again after {:.1} s", began.elapsed().as_secs_f64());
    if short {
        return seen;
    }
    // Those of all others end before.
    let gone = async {
        while scene.connections_of_nginx() >= EACH {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(50), gone).await;
    assert!(gone.is_ok(), "nginx still has {} connections", scene.connections_of_nginx());
    drop(readers);
    format!("{seen}, and of nginx after {:.1} s", began.elapsed().as_secs_f64())
}

/// Sends a byte of the body now and then. nginx bounds the time between two of them and not that of the
/// whole, so that it keeps these connections; Argus hears of a request when all of it is there.
async fn bodies_that_drip(scene: Arc<Scene>) -> String {
    let head = head("POST", "/v1/oauth/token", Host::Auth, "content-length: 10000\r\n");
    let mut drips = Vec::new();
    for _ in 0..EACH {
        let mut stream = scene.dial.tls(EVIL, Host::Auth, Protocol::Http1).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        drips.push(stream);
    }
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(12) {
        for stream in &mut drips {
            stream.write_all(b"a").await.unwrap();
            stream.flush().await.unwrap();
        }
        most = most.max(scene.connections_of_argus(Host::Auth));
        tokio::time::sleep(DRIP).await;
    }
    assert!(most <= KEPT, "Argus had {most} connections");
    format!("{EACH} connections, Argus had {most} at most, those of the good clients")
}

/// Waits until nginx has let go of every connection.
async fn nothing_is_left(scene: Arc<Scene>) -> String {
    let began = Instant::now();
    let gone = async {
        while scene.connections_of_nginx() > 0 {
            tokio::time::sleep(DRIP).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(60), gone).await;
    assert!(gone.is_ok(), "nginx still has {} connections", scene.connections_of_nginx());
    format!("none, {:.0} s after the last attack", began.elapsed().as_secs_f64())
}
