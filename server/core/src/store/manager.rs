//! How a pool makes connections, and which of them it may use again. Nothing here waits without end: who is
//! not answered in time shuts the connection's socket down, and the thread that waits for it wakes up.

use super::connection::AnyConnection;
use super::engine::Use;
use super::error::{Error, OpenError};
use super::location::Location;
use super::settings::Deadlines;
use super::socket::{self, Readable, Socket, Sockets};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// One connection to a port is made at a time, so that its socket can be told from others; a server that does
/// not answer keeps nobody from another one.
static TURNS: Mutex<BTreeMap<u16, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

/// The turn to connect to a port.
fn turn(port: u16) -> Arc<Semaphore> {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(port).or_insert_with(|| Arc::new(Semaphore::new(1))))
}

/// A connection that was used a moment ago is not asked whether it still answers.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long a connection may take to say that it still answers.
const PING_TIME: Duration = Duration::from_secs(1);

/// Makes connections of one kind.
#[derive(Debug)]
pub(super) struct Manager {
    location: Location,
    purpose: Use,
    pub(super) deadlines: Deadlines,
    /// When a connection was last lost: those from before are not trusted any more.
    lost: Mutex<Option<Instant>>,
}

/// A connection of a pool.
pub(super) struct Pooled {
    connection: Arc<Mutex<AnyConnection>>,
    socket: Option<Socket>,
}

impl Pooled {
    /// Runs work on the blocking pool and waits `limit` for its end. After that, and when the caller waits no
    /// longer, the connection is cut, and the thread ends by itself.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut AnyConnection) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            // Who panicked has left the connection in a state that nobody knows.
            let mut connection = connection.lock().map_err(|_| Error::permanent("an earlier panic"))?;
            Ok(work(&mut connection))
        });
        let mut wait = Wait { pooled: self, is_over: false };
        let outcome = tokio::time::timeout(limit, done).await;
        wait.is_over = outcome.is_ok();
        match outcome {
            Ok(done) => done.map_err(Error::permanent)?,
            Err(_) => Err(Error::unavailable(format!("the database took longer than {limit:?}"))),
        }
    }

    /// Whether it is as it should be and the database answers on it.
    pub(super) async fn answers(&self) -> bool {
        self.is_sound() && matches!(self.run(PING_TIME, AnyConnection::ping).await, Ok(Ok(())))
    }

    /// Whether it is as it should be between two uses.
    fn is_sound(&self) -> bool {
        self.connection.try_lock().is_ok_and(|mut connection| !connection.is_broken())
    }

    /// What tells when the server has sent something; none where the socket is not known.
    pub(super) fn readable(&self) -> io::Result<Option<Readable>> {
        self.socket.as_ref().map(Socket::readable).transpose()
    }

    fn cut(&self) {
        tracing::warn!(can_be_cut = self.socket.is_some(), "a database connection is given up");
        self.socket.iter().for_each(Socket::shut_down);
    }
}

/// Somebody's wait for work. When it ends before the work, the connection is cut: otherwise a thread would be left
/// behind with a server that never answers.
struct Wait<'p> {
    pooled: &'p Pooled,
    is_over: bool,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.pooled.cut();
        }
    }
}

impl Manager {
    pub(super) fn new(location: Location, purpose: Use, deadlines: Deadlines) -> Self {
        Self { location, purpose, deadlines, lost: Mutex::new(None) }
    }

    /// Notes that a connection was lost. What took one away has often taken them all.
    pub(super) fn note_loss(&self) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_from_before_a_loss(&self, created: Instant) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|lost| created <= lost)
    }

    /// A connection that no pool knows of. Blocks.
    pub(super) fn connect_apart(&self) -> Result<AnyConnection, OpenError> {
        self.location.connect(self.purpose, &self.deadlines)
    }

    /// A connection to a server, within its time.
    async fn connect_within(&self, port: u16) -> Result<Pooled, OpenError> {
        let limit = self.deadlines.connect;
        let turn = turn(port).acquire_owned().await;
        let turn = turn.map_err(|error| OpenError::Connect(error.to_string()))?;
        let (location, purpose, mut deadlines) = (self.location.clone(), self.purpose, self.deadlines);
        deadlines.acknowledgement += socket::mark();
        // On a task of its own: the turn ends with the attempt, and not with a caller who has gone.
        let attempt = tokio::spawn(async move {
            let _turn = turn;
            let before = Sockets::now();
            let connecting = tokio::task::spawn_blocking(move || location.connect(purpose, &deadlines));
            let connected = tokio::time::timeout(limit, connecting).await;
            let socket = before.newcomer(port, deadlines.acknowledgement);
            match connected {
                Ok(Ok(connected)) => connected.map(|connection| Pooled::new(connection, socket)),
                Ok(Err(panic)) => Err(OpenError::Connect(panic.to_string())),
                Err(_) => {
                    socket.iter().for_each(Socket::shut_down);
                    Err(OpenError::Connect(format!("no answer within {limit:?}")))
                }
            }
        });
        attempt.await.map_err(|error| OpenError::Connect(error.to_string()))?
    }
}

impl Pooled {
    fn new(connection: AnyConnection, socket: Option<Socket>) -> Self {
        Self { connection: Arc::new(Mutex::new(connection)), socket }
    }
}

impl managed::Manager for Manager {
    type Type = Pooled;
    type Error = OpenError;

    async fn create(&self) -> Result<Pooled, OpenError> {
        let began = Instant::now();
        let made = match self.location.port() {
            Some(port) => self.connect_within(port).await,
            // A file is opened in less time than it takes to get to another thread.
            None => self.location.connect(self.purpose, &self.deadlines).map(|made| Pooled::new(made, None)),
        };
        let took = began.elapsed();
        match &made {
            Ok(_) => tracing::debug!(purpose = ?self.purpose, ?took, "a database connection is open"),
            Err(error) => {
                tracing::debug!(purpose = ?self.purpose, ?took, cause = %error, "no database connection")
            }
        }
        made
    }

    async fn recycle(&self, pooled: &mut Pooled, metrics: &Metrics) -> RecycleResult<OpenError> {
        if !pooled.is_sound() {
            return Err(RecycleError::message("it is broken"));
        }
        // A file does not go away like a server does; asking would only cost time.
        if self.location.is_embedded() {
            return Ok(());
        }
        if self.is_from_before_a_loss(metrics.created) {
            return Err(RecycleError::message("another one was lost"));
        }
        if metrics.last_used() < TRUSTED {
            return Ok(());
        }
        if !pooled.answers().await {
            self.note_loss();
            return Err(RecycleError::message("it does not answer"));
        }
        Ok(())
    }
}
