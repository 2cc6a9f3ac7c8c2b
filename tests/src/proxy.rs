//! A proxy in front of PostgreSQL that can stop forwarding, as networks and poolers do: the connections stay
//! open, and nothing comes through. It can cut them, too: all of them, or the one that asks for something.

use crate::patience::look_for;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A proxy; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    flow: watch::Sender<Flow>,
    /// How many connections clients have open.
    open: AtomicUsize,
    ambush: Mutex<Option<Ambush>>,
    /// How many connections went into an ambush.
    caught: AtomicUsize,
    /// Whether those who listen hear nothing.
    is_deaf: AtomicBool,
}

/// When a connection is cut, seen from what is asked on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never hears of it.
    Before,
    /// The server has done it, and nobody hears of that.
    After,
}

/// Where the next connection is cut.
#[derive(Clone, Copy)]
struct Ambush {
    /// What is asked there.
    text: &'static str,
    cut: Cut,
    /// Whether others get through afterwards.
    is_once: bool,
}

/// What is let through.
#[derive(Clone, Copy, Default)]
struct Flow {
    /// Nothing, for now.
    is_stalled: bool,
    /// Nothing any more of connections that came before this one.
    first: usize,
    /// Connections that came before this one are cut.
    uncut: usize,
    /// Whether every connection is cut, and none is made.
    is_away: bool,
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
        let shared = Arc::new(Shared {
            flow: watch::Sender::new(Flow::default()),
            open: AtomicUsize::new(0),
            ambush: Mutex::new(None),
            caught: AtomicUsize::new(0),
            is_deaf: AtomicBool::new(false),
        });
        let accepting = tokio::spawn(accept(listener, upstream, Arc::clone(&shared)));
        Self { address, shared, accepting: accepting.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing is let through until [`Self::go_on`].
    pub fn stall(&self) {
        self.shared.flow.send_modify(|flow| flow.is_stalled = true);
    }

    /// What was held back is let through, and all that comes.
    pub fn go_on(&self) {
        self.shared.flow.send_modify(|flow| flow.is_stalled = false);
    }

    /// Nothing is let through any more of the connections that there are; new ones work.
    pub fn swallow(&self) {
        self.shared.flow.send_modify(|flow| flow.first = flow.accepted);
    }

    /// Cuts the connections that there are; new ones work.
    pub fn cut(&self) {
        self.shared.flow.send_modify(|flow| flow.uncut = flow.accepted);
    }

    /// Cuts the connections that there are, and each that comes until [`Self::come_back`], as a server that is gone.
    pub fn leave(&self) {
        self.shared.flow.send_modify(|flow| flow.is_away = true);
    }

    /// New connections work again.
    pub fn come_back(&self) {
        self.shared.flow.send_modify(|flow| (flow.is_away, flow.uncut) = (false, flow.accepted));
    }

    /// Cuts the next connection on which this is asked: a text that a statement holds.
    pub fn cut_at(&self, text: &'static str, cut: Cut) {
        *self.shared.ambush.lock().unwrap() = Some(Ambush { text, cut, is_once: true });
    }

    /// Cuts every connection on which this is asked, until [`Self::let_pass`].
    pub fn cut_whenever(&self, text: &'static str) {
        *self.shared.ambush.lock().unwrap() = Some(Ambush { text, cut: Cut::Before, is_once: false });
    }

    /// Cuts nobody any more, whatever is asked.
    pub fn let_pass(&self) {
        *self.shared.ambush.lock().unwrap() = None;
    }

    /// Those who listen from now on hear nothing and are not told so, as behind a pooler of transactions, which drops what
    /// arrives between two of them.
    pub fn deafen(&self) {
        self.shared.is_deaf.store(true, Ordering::SeqCst);
    }

    /// How many connections were cut because of what was asked on them.
    pub fn caught(&self) -> usize {
        self.shared.caught.load(Ordering::SeqCst)
    }

    /// Waits until the clients have at most so many connections open.
    pub fn await_open_at_most(&self, most: usize) {
        let few = || (self.shared.open.load(Ordering::SeqCst) <= most).then_some(());
        look_for(few).expect("the clients close connections that do not answer");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if shared.flow.borrow().is_away {
            continue;
        }
        let server = TcpStream::connect(upstream).await.unwrap();
        let mut number = 0;
        shared.flow.send_modify(|flow| {
            number = flow.accepted;
            flow.accepted += 1;
        });
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let is_answer_lost = Arc::new(AtomicBool::new(false));
        let back = Direction { number, flow: shared.flow.subscribe(), is_answer_lost, asked: None };
        let ahead = Direction {
            number,
            flow: shared.flow.subscribe(),
            is_answer_lost: Arc::clone(&back.is_answer_lost),
            asked: Some((Asked::default(), Arc::clone(&shared))),
        };
        let shared = Arc::clone(&shared);
        shared.open.fetch_add(1, Ordering::SeqCst);
        let back = tokio::spawn(back.forward(from_server, to_client));
        tokio::spawn(async move {
            ahead.forward(from_client, to_server).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
            back.abort();
        });
    }
}

/// One direction of a connection.
struct Direction {
    number: usize,
    flow: watch::Receiver<Flow>,
    /// Whether what the server says next is the end.
    is_answer_lost: Arc<AtomicBool>,
    /// What was asked so far, on the way to the server.
    asked: Option<(Asked, Arc<Shared>)>,
}

impl Direction {
    /// Forwards what may come through, until the sender ends or the connection is cut.
    async fn forward(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (mut held, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let flow = *self.flow.borrow_and_update();
            if self.number < flow.uncut || flow.is_away {
                return;
            }
            let due = if flow.lets_through(self.number) { std::mem::take(&mut held) } else { Vec::new() };
            if to.write_all(&due).await.is_err() {
                return;
            }
            tokio::select! {
                read = from.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(length) => {
                        if self.ends_with(&chunk[..length]) {
                            return;
                        }
                        self.deafen(&mut chunk[..length]);
                        held.extend_from_slice(&chunk[..length]);
                    }
                },
                changed = self.flow.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Makes something else, of the same length, of what would listen.
    fn deafen(&self, chunk: &mut [u8]) {
        const LISTEN: &[u8] = b"; LISTEN ";
        let is_deaf = self.asked.as_ref().is_some_and(|(_, shared)| shared.is_deaf.load(Ordering::SeqCst));
        let mut at = 0;
        while let Some(found) = chunk[at..].windows(LISTEN.len()).position(|text| is_deaf && text == LISTEN) {
            chunk[at + found..][..LISTEN.len()].copy_from_slice(b"; NOTIFY ");
            at += found + LISTEN.len();
        }
    }

    /// Whether the connection is cut instead of passing this on.
    fn ends_with(&mut self, chunk: &[u8]) -> bool {
        let Some((asked, shared)) = &mut self.asked else {
            return self.is_answer_lost.load(Ordering::SeqCst);
        };
        let Some(text) = asked.executed(chunk) else { return false };
        match shared.catch(text) {
            Some(Cut::Before) => true,
            Some(Cut::After) => {
                self.is_answer_lost.store(true, Ordering::SeqCst);
                false
            }
            None => false,
        }
    }
}

impl Shared {
    /// How the connection on which this is asked is cut, if it is.
    fn catch(&self, text: &[u8]) -> Option<Cut> {
        let mut ambush = self.ambush.lock().unwrap();
        let found = ambush.filter(|ambush| {
            text.windows(ambush.text.len()).any(|window| window == ambush.text.as_bytes())
        })?;
        if found.is_once {
            *ambush = None;
        }
        self.caught.fetch_add(1, Ordering::SeqCst);
        Some(found.cut)
    }
}

/// The statements that were prepared on a connection, by their names.
#[derive(Default)]
struct Asked(HashMap<Vec<u8>, Vec<u8>>);

impl Asked {
    /// The statement that these messages of a client execute. Its driver waits for the answer before it sends
    /// more, so that a chunk begins with a message (PostgreSQL's protocol, version 3).
    fn executed<'a>(&'a mut self, chunk: &'a [u8]) -> Option<&'a [u8]> {
        let mut texts = chunk.get(5..)?.split(|byte| *byte == 0);
        match chunk[0] {
            b'Q' => texts.next(),
            b'P' => {
                let (name, text) = (texts.next()?, texts.next()?);
                self.0.insert(name.to_owned(), text.to_owned());
                None
            }
            // The portal's name comes first, then the statement's.
            b'B' => self.0.get(texts.nth(1)?).map(Vec::as_slice),
            _ => None,
        }
    }
}
