//! Where the notifications of PostgreSQL arrive: one connection a process, which no other work waits for.
//! A notification is a hint, since it may be lost with the connection; what is true stands in the tables.

use super::connection::AnyConnection;
use super::error::Error;
use super::every_tenant::EveryTenant;
use super::lane::{Lane, Lent};
use super::socket::Readable;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use std::time::Duration;

/// How long the server may take to do what costs it nothing.
const TIME: Duration = Duration::from_secs(2);
/// How often it is looked at where nobody tells that something has arrived.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Listens with one connection.
#[derive(Clone)]
pub struct Listener {
    lane: Lane,
    others: EveryTenant,
}

/// What another session has notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Where.
    pub channel: String,
    /// What.
    pub payload: String,
}

/// What arrives on some channels, for as long as this lives. An error means that the connection is lost, and
/// with it whatever was notified since: listen again, and look at the tables.
pub struct Notifications {
    connection: Lent,
    readable: Option<Readable>,
}

impl Listener {
    /// A listener whose lane has one connection, and others that it finds out with whether it hears anything.
    pub(super) fn new(lane: Lane, others: EveryTenant) -> Self {
        Self { lane, others }
    }

    /// Notifies from another connection, as another node would: what a session tells itself arrives wherever it runs.
    pub async fn notify_from_elsewhere(&self, channel: &'static str, payload: &str) -> Result<(), Error> {
        let sql = notify(channel, payload);
        self.others.run(move |connection| Ok(connection.batch_execute(&sql)?)).await
    }

    /// Listens to these channels, and to no other. Somebody who listens already must stop first.
    pub async fn listen(&self, channels: &[&str]) -> Result<Notifications, Error> {
        let connection = self.lane.lend().await?;
        let mut sql = "UNLISTEN *".to_owned();
        for channel in channels {
            sql.push_str(&format!("; LISTEN \"{}\"", channel.replace('"', "\"\"")));
        }
        connection.run(TIME, move |connection| connection.batch_execute(&sql)).await??;
        let readable = connection.readable().map_err(Error::permanent)?;
        Ok(Notifications { connection, readable })
    }
}

impl Notifications {
    /// Waits for the next one.
    pub async fn next(&mut self) -> Result<Notification, Error> {
        loop {
            if let Some(notification) = self.take().await? {
                return Ok(notification);
            }
            self.wait().await?;
        }
    }

    /// The next one, if one has arrived.
    pub async fn take(&mut self) -> Result<Option<Notification>, Error> {
        self.connection.run(TIME, |connection| postgres(connection).map(arrived)).await??
    }

    /// Waits until something may have arrived. Nothing is lost if nobody waits for its end.
    pub async fn wait(&self) -> Result<(), Error> {
        match &self.readable {
            Some(readable) => readable.wait().await.map_err(Error::unavailable),
            None => {
                tokio::time::sleep(LOOK_INTERVAL).await;
                Ok(())
            }
        }
    }

    /// Finds out whether the server is still there: nothing that arrives may mean that nothing can.
    pub async fn check(&self) -> Result<(), Error> {
        Ok(self.connection.run(TIME, |connection| connection.batch_execute("SELECT 1")).await??)
    }

    /// Notifies every session that listens to a channel, this one too.
    pub async fn notify(&mut self, channel: &str, payload: &str) -> Result<(), Error> {
        let sql = notify(channel, payload);
        self.connection.run(TIME, move |connection| connection.batch_execute(&sql)).await??;
        Ok(())
    }
}

fn notify(channel: &str, payload: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    format!("SELECT pg_notify({}, {})", quoted(channel), quoted(payload))
}

fn postgres(connection: &mut AnyConnection) -> Result<&mut PgConnection, Error> {
    match connection {
        AnyConnection::Pg(connection) => Ok(connection),
        AnyConnection::Sqlite(_) => Err(Error::permanent("SQLite notifies nobody")),
    }
}

/// What has arrived already.
fn arrived(connection: &mut PgConnection) -> Result<Option<Notification>, Error> {
    let next = connection.notifications_iter().next().transpose()?;
    Ok(next.map(|arrived| Notification { channel: arrived.channel, payload: arrived.payload }))
}
