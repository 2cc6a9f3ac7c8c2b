//! The dialler of `argus-core`, over real sockets: where it does not connect to, and what it makes of receivers that
//! answer badly or not at all. Receivers listen on this machine; one of its addresses stands for a public one where a
//! test needs one, because the operator's networks allow it.

mod addresses;
mod answers;
mod environment;
mod names;
mod receiver;
mod tls;

use argus_core::Clock;
use argus_core::dialler::{Answer, Dialler, DiallerSettings, Failure, Resolver};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderMap;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// What this machine has beside 127.0.0.1.
pub(crate) const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Knows what a name means now, and what it will mean then. The last answer is that for all later questions.
pub(crate) struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub(crate) fn new<const N: usize>(answers: [&[IpAddr]; N]) -> Arc<Self> {
        let answers = answers.map(<[IpAddr]>::to_vec);
        Arc::new(Self { answers: Mutex::new(answers.into()), asked: Mutex::default() })
    }

    /// The names that were asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        async { answer.ok_or_else(|| io::Error::other("nobody knows any name")) }.boxed()
    }
}

/// Settings with limits that no test waits for unless it says so.
fn settings() -> DiallerSettings {
    let mut settings = DiallerSettings::new("argus-webhooks/test");
    (settings.limits.connect, settings.limits.attempt) = (LONG, LONG);
    settings
}

/// For receivers on this machine.
fn at_home() -> DiallerSettings {
    DiallerSettings { loopback: true, ..settings() }
}

fn dialler(settings: &DiallerSettings, names: &Arc<Names>) -> Dialler {
    Dialler::new(settings, Arc::clone(names), Clock::system()).unwrap()
}

/// A dialler that knows no names.
fn nameless(settings: &DiallerSettings) -> Dialler {
    dialler(settings, &Names::new([]))
}

async fn send(dialler: &Dialler, url: &str) -> Result<Answer, Failure> {
    dialler.send(url, HeaderMap::new(), Bytes::from_static(b"{}")).await
}

/// Nobody answers here, and whether anybody has come can be told.
pub(crate) struct Trap(TcpListener);

impl Trap {
    pub(crate) fn at(address: IpAddr, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((address, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Whether nobody has connected: the kernel would keep who has.
    pub(crate) fn is_untouched(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
