//! The socket under a database connection. A thread that waits for a database cannot be told to stop, but
//! its socket can be shut down. The drivers do not give theirs away, so it is found among those of this
//! process: one that was not there before the connection was made, and bears its [`mark`] or is the only one. Where a
//! system does not list them, none is found, and a thread waits until TCP gives up.

use filedescriptor::FileDescriptor;
use socket2::SockRef;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Where Linux lists the open files of a process.
const OPEN_FILES: &str = "/proc/self/fd";

/// What is added to the time that TCP gives an acknowledgement, so that one connection can be told from another by
/// it: less than a second, and another one for a long while.
pub(super) fn mark() -> Duration {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Duration::from_millis(1 + NEXT.fetch_add(1, Ordering::Relaxed) % 999)
}

/// A second handle of a socket.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Ends the connection, so that whoever waits for it wakes up.
    pub(super) fn shut_down(&self) {
        // One that has ended already is as good.
        let _ = SockRef::from(&self.0).shutdown(Shutdown::Both);
    }

    /// What tells when there is something to read, or the connection has ended.
    pub(super) fn readable(&self) -> io::Result<Readable> {
        let stream = std::net::TcpStream::from(self.0.try_clone()?);
        TcpStream::from_std(stream).map(Readable)
    }
}

/// Tells when there is something to read; somebody else reads it.
pub(super) struct Readable(TcpStream);

impl Readable {
    /// Waits until something has come since the last time.
    pub(super) async fn wait(&self) -> io::Result<()> {
        self.0.readable().await?;
        // Who says so is told when there is more.
        let taken = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(Interest::READABLE, taken);
        Ok(())
    }
}

/// The sockets that this process had at a moment.
pub(super) struct Sockets(HashSet<OsString>);

impl Sockets {
    /// Those of now.
    pub(super) fn now() -> Self {
        Self(open().map(|(_, name)| name).collect())
    }

    /// The one that has come since, leads to this port or to a local service, and gives an acknowledgement this time;
    /// without such a one, the only one. None where several have come.
    pub(super) fn newcomer(&self, port: u16, acknowledgement: Duration) -> Option<Socket> {
        let new = open().filter(|(_, name)| !self.0.contains(name));
        let another = |file: RawFd| FileDescriptor::dup(&file).ok()?.as_fd().try_clone_to_owned().ok();
        let leads_there = |file: &OwnedFd| {
            SockRef::from(file).peer_addr().is_ok_and(|peer| match peer.as_socket() {
                Some(address) => address.port() == port,
                None => peer.is_unix(),
            })
        };
        let mut found: Vec<_> = new.filter_map(|(file, _)| another(file)).filter(leads_there).collect();
        let has_mark = |file: &OwnedFd| gives(file, acknowledgement);
        let marked: Vec<usize> = (0..found.len()).filter(|place| has_mark(&found[*place])).collect();
        let place = match marked[..] {
            [place] => place,
            [] if found.len() == 1 => 0,
            _ => return None,
        };
        Some(Socket(found.swap_remove(place)))
    }
}

/// Whether TCP gives an acknowledgement this time.
#[cfg(target_os = "linux")]
fn gives(file: &OwnedFd, acknowledgement: Duration) -> bool {
    SockRef::from(file).tcp_user_timeout().is_ok_and(|time| time == Some(acknowledgement))
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn gives(_: &OwnedFd, _: Duration) -> bool {
    false
}

/// The open sockets with their names, which the system gives once.
fn open() -> impl Iterator<Item = (RawFd, OsString)> {
    let files = std::fs::read_dir(OPEN_FILES).into_iter().flatten().flatten();
    files.filter_map(|file| {
        let name = std::fs::read_link(file.path()).ok().filter(|name| is_socket(name))?;
        Some((file.file_name().to_str()?.parse().ok()?, name.into_os_string()))
    })
}

fn is_socket(name: &Path) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("socket:["))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    const TIME: Duration = Duration::from_millis(10_001);

    #[test]
    fn the_socket_of_a_new_connection_is_found_and_whoever_waits_for_it_wakes_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let before = Sockets::now();
        assert!(before.newcomer(address.port(), TIME).is_none());
        let mut stream = TcpStream::connect(address).expect("it listens");
        let Some(socket) = before.newcomer(address.port(), TIME) else {
            assert!(!Path::new(OPEN_FILES).exists(), "it is listed");
            return;
        };
        let waits = std::thread::spawn(move || stream.read(&mut [0]).expect("an end"));
        socket.shut_down();
        assert_eq!(waits.join().expect("no panic"), 0);
    }

    #[test]
    fn of_two_new_connections_none_is_taken_for_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let before = Sockets::now();
        let both = [(); 2].map(|()| TcpStream::connect(address).expect("it listens"));
        assert!(before.newcomer(address.port(), TIME).is_none());
        #[cfg(target_os = "linux")]
        for stream in &both {
            SockRef::from(stream).set_tcp_user_timeout(Some(TIME)).expect("a mark");
            let found = before.newcomer(address.port(), TIME).expect("it bears the mark");
            let peer = |socket: &SockRef<'_>| socket.local_addr().expect("an address").as_socket();
            assert_eq!(peer(&SockRef::from(&found.0)), stream.local_addr().ok());
            SockRef::from(stream).set_tcp_user_timeout(None).expect("no mark");
        }
        drop(both);
    }
}
