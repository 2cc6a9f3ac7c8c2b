//! More connections from one address than Argus has descriptors.

use crate::dial::{Dial, EVIL, Protocol};
use crate::good::GoodClient;
use crate::report::Report;
use crate::scene::{DESCRIPTORS, Scene};
use argus_openapi::Host;
use argus_tests::Stream;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// How long a flood stays.
const LASTS: Duration = Duration::from_secs(1);
/// Connections that nginx takes of one address, as `limit_conn` in nginx.conf says.
const OF_ONE_ADDRESS: usize = 100;

#[derive(Clone, Copy)]
enum Flood {
    Silence,
    HalfHeaders,
    HalfPrefaces,
}

/// Runs all of them.
pub async fn run(scene: &Arc<Scene>, report: &mut Report) {
    for (flood, name) in [
        (Flood::Silence, "silent connections"),
        (Flood::HalfHeaders, "half headers"),
        (Flood::HalfPrefaces, "half HTTP/2 prefaces"),
    ] {
        for size in [260, 600] {
            let name = format!("a flood of {size} {name} does not keep others out");
            report.check(&name, flooded(Arc::clone(scene), flood, size)).await;
        }
    }
}

async fn flooded(scene: Arc<Scene>, flood: Flood, size: usize) -> String {
    let attackers: Vec<_> = (0..size)
        .map(|_| {
            let scene = Arc::clone(&scene);
            // Those beyond the limit are turned away.
            tokio::spawn(async move { flood.attack(&scene.dial).await.ok() })
        })
        .collect();
    let good = GoodClient::start(&scene);
    let mut open = Vec::new();
    for attacker in attackers {
        open.extend(attacker.await.unwrap());
    }
    let until = Instant::now() + LASTS;
    let (mut descriptors, mut connections) = (0, 0);
    while Instant::now() < until {
        descriptors = descriptors.max(scene.descriptors_of_argus());
        connections = connections.max(scene.connections_of_nginx());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(open);
    let good = good.stop().await;
    assert!(connections >= OF_ONE_ADDRESS, "the flood had {connections} connections");
    assert!(descriptors < DESCRIPTORS, "Argus had {descriptors} descriptors");
    format!("{good}; nginx had {connections} connections, Argus {descriptors} of {DESCRIPTORS} descriptors")
}

impl Flood {
    async fn attack(self, dial: &Dial) -> io::Result<Box<dyn Stream>> {
        let (mut stream, said): (Box<dyn Stream>, &[u8]) = match self {
            Self::Silence => (Box::new(dial.plain(EVIL).await?), b""),
            Self::HalfHeaders => {
                let stream = dial.tls(EVIL, Host::Api, Protocol::Http1).await?;
                (Box::new(stream), b"GET /healthz HTTP/1.1\r\nhost: api")
            }
            Self::HalfPrefaces => (Box::new(dial.tls(EVIL, Host::Api, Protocol::Http2).await?), b"PRI * HT"),
        };
        stream.write_all(said).await?;
        stream.flush().await?;
        Ok(stream)
    }
}
