//! A proxy in front of a host that cuts connections in the middle of an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A proxy; it ends when it is dropped.
pub struct Cutter {
    address: SocketAddr,
    upstream: watch::Sender<Option<SocketAddr>>,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    /// How many bytes a new connection brings from the server before it is cut.
    most: AtomicU64,
    /// How many connections have come.
    accepted: AtomicUsize,
}

impl Cutter {
    /// A proxy that leads nowhere yet, for a server that has to know how it is reached. It must be made inside a
    /// runtime.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = watch::Sender::new(None);
        let shared = Arc::new(Shared { most: AtomicU64::new(u64::MAX), accepted: AtomicUsize::new(0) });
        let accepting = tokio::spawn(accept(listener, upstream.subscribe(), Arc::clone(&shared)));
        Self { address, upstream, shared, accepting: accepting.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards to this address, also what has come already.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.upstream.send_replace(Some(upstream));
    }

    /// Cuts each connection that comes from now on once the server has sent so many bytes on it.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.most.store(bytes, Ordering::SeqCst);
    }

    /// How many connections have come.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    mut upstream: watch::Receiver<Option<SocketAddr>>,
    shared: Arc<Shared>,
) {
    while let Ok((mut client, _)) = listener.accept().await {
        let Ok(address) = upstream.wait_for(Option::is_some).await.map(|address| address.unwrap()) else {
            return;
        };
        let mut server = TcpStream::connect(address).await.unwrap();
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        let most = shared.most.load(Ordering::SeqCst);
        tokio::spawn(async move {
            let ((mut from_client, mut to_client), (from_server, mut to_server)) =
                (client.split(), server.split());
            let mut from_server = from_server.take(most);
            // Whichever ends first ends the connection.
            tokio::select! {
                _ = copy(&mut from_client, &mut to_server) => {}
                _ = copy(&mut from_server, &mut to_client) => {}
            }
        });
    }
}
