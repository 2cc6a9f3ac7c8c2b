//! A proxy in front of a database that can stop forwarding, as networks and poolers do: the connections
//! stay open, and nothing comes through.

use crate::patience::look_for;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A proxy; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    flow: watch::Sender<Flow>,
    open: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

/// What is let through.
#[derive(Clone, Copy, Default)]
struct Flow {
    /// Nothing, for now.
    is_stalled: bool,
    /// Nothing any more of connections that came before this one.
    first: usize,
    /// How many connections have come.
    accepted: usize,
}

impl Flow {
    fn lets_through(self, number: usize) -> bool {
        !self.is_stalled && number >= self.first
    }
}

impl Proxy {
    /// A proxy in front of this address. It must be made inside a runtime.
    pub async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (flow, open) = (watch::Sender::new(Flow::default()), Arc::new(AtomicUsize::new(0)));
        let accepting = tokio::spawn(accept(listener, upstream, flow.clone(), Arc::clone(&open)));
        Self { address, flow, open, accepting: accepting.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing is let through until [`Self::go_on`].
    pub fn stall(&self) {
        self.flow.send_modify(|flow| flow.is_stalled = true);
    }

    /// What was held back is let through, and all that comes.
    pub fn go_on(&self) {
        self.flow.send_modify(|flow| flow.is_stalled = false);
    }

    /// Nothing is let through any more of the connections that there are; new ones work.
    pub fn swallow(&self) {
        self.flow.send_modify(|flow| flow.first = flow.accepted);
    }

    /// Waits until the clients have at most so many connections open.
    pub fn await_open_at_most(&self, most: usize) {
        let few = || (self.open.load(Ordering::SeqCst) <= most).then_some(());
        look_for(few).expect("the clients close connections that do not answer");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    upstream: SocketAddr,
    flow: watch::Sender<Flow>,
    open: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(upstream).await.unwrap();
        let mut number = 0;
        flow.send_modify(|flow| {
            number = flow.accepted;
            flow.accepted += 1;
        });
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (ahead, back) = (flow.subscribe(), flow.subscribe());
        let open = Arc::clone(&open);
        open.fetch_add(1, Ordering::SeqCst);
        let back = tokio::spawn(forward(from_server, to_client, back, number));
        tokio::spawn(async move {
            forward(from_client, to_server, ahead, number).await;
            open.fetch_sub(1, Ordering::SeqCst);
            back.abort();
        });
    }
}

/// Forwards what may come through, until the sender ends.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut flow: watch::Receiver<Flow>,
    number: usize,
) {
    let (mut held, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let lets_through = flow.borrow_and_update().lets_through(number);
        let due = if lets_through { std::mem::take(&mut held) } else { Vec::new() };
        if to.write_all(&due).await.is_err() {
            return;
        }
        tokio::select! {
            read = from.read(&mut chunk) => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => held.extend_from_slice(&chunk[..length]),
            },
            changed = flow.changed() => if changed.is_err() { return },
        }
    }
}
