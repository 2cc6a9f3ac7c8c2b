//! Writers of one SQLite file, each with connections of its own: nobody is told that it is busy, and no change of
//! a state is missing.

use super::PATIENCE;
use crate::jobs::{Desk, LONG, job};
use argus_core::context::{Context, Live};
use argus_core::jobs::lease::{self, Ending, Lease, Turn};
use argus_core::jobs::{Cancelled, Enqueued, NewJob, cancel, enqueue, retention};
use argus_core::store::{Database, Tx};
use argus_core::{Error, ids::JobId};
use argus_tests::{Installation, run_on_sqlite, scale};
use std::time::{Duration, Instant};

const WRITERS: usize = 8;

/// What a writer was told to have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Changes {
    enqueued: usize,
    ended: usize,
    cancelled: usize,
}

struct Writer {
    database: Database,
    caller: Context<Live>,
    number: usize,
    changes: Changes,
}

impl Writer {
    /// Writes until then, and on a busy machine until it has had its turn.
    async fn write_until(mut self, end: Instant) -> Changes {
        let mut turn = Turn::default();
        for round in 0.. {
            let now = Instant::now();
            if now > end && (round > 0 || now > end + PATIENCE) {
                break;
            }
            self.enqueue(None).await;
            let id = self.enqueue(Some(format!("{}-{round}", self.number))).await;
            turn = self.work(turn, round).await;
            if round % 3 == 0 {
                self.cancel(id).await;
            }
            if round % 5 == 0 {
                self.sweep().await;
            }
        }
        self.changes
    }

    async fn enqueue(&mut self, idempotency_key: Option<String>) -> JobId {
        let job = NewJob { idempotency_key, ..job() };
        let write = self.database.requests.write(&self.caller, move |tx: &mut Tx<'_>| enqueue(tx, &job));
        let Enqueued::New(receipt) = write.await.unwrap() else { panic!("a key of its own") };
        self.changes.enqueued += 1;
        receipt.id
    }

    /// Claims, keeps and ends jobs, whoever enqueued them.
    async fn work(&mut self, turn: Turn, round: usize) -> Turn {
        let every_tenant = &self.database.every_tenant;
        let claim =
            every_tenant.run(move |connection| lease::claim(connection, 3, LONG, &turn)).await.unwrap();
        let leases: Vec<Lease> = claim.jobs.into_iter().map(|job| job.lease).collect();
        let kept = leases.clone();
        let extend = every_tenant.run(move |connection| {
            for lease in &kept {
                lease::progress(connection, lease, 50)?;
            }
            Ok::<_, Error>(lease::extend(connection, &kept, LONG)?)
        });
        extend.await.unwrap();
        let ending = match round % 4 {
            0 => crate::jobs::failed(),
            1 => Ending::Released,
            _ => Ending::Succeeded(None),
        };
        let endings: Vec<_> = leases.into_iter().map(|lease| (lease, ending.clone())).collect();
        let is_end = round % 4 != 1;
        let end = every_tenant.run(move |connection| Ok::<_, Error>(lease::end(connection, &endings)?));
        let held = end.await.unwrap().len();
        self.changes.ended += if is_end { held } else { 0 };
        claim.next
    }

    async fn cancel(&mut self, id: JobId) {
        let cancel = self.database.requests.write(&self.caller, move |tx: &mut Tx<'_>| cancel(tx, &id));
        if matches!(cancel.await.unwrap(), Cancelled::Now { .. }) {
            self.changes.cancelled += 1;
        }
    }

    async fn sweep(&self) {
        let sweep = self.database.every_tenant.run(|connection| {
            lease::reap(connection)?;
            lease::wake(connection)?;
            retention::forget_keys(connection)?;
            let due = retention::due(connection, 0)?;
            Ok::<_, Error>(retention::done(connection, &due)?)
        });
        sweep.await.unwrap();
    }
}

#[test]
fn eight_writers_of_one_file_are_never_told_that_it_is_busy_and_no_change_is_missing_on_sqlite() {
    run_on_sqlite(async |installation: Installation| {
        let desk = Desk::open(installation).await;
        let end = Instant::now() + scale(Duration::from_secs(3), Duration::from_secs(60));
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                // As another process has it.
                let (database, _) = desk.installation.database_and_identity();
                let caller = desk.caller.clone();
                let writer = Writer { database, caller, number, changes: Changes::default() };
                tokio::spawn(writer.write_until(end))
            })
            .collect();
        let mut told = Changes::default();
        for writer in writers {
            let changes = writer.await.unwrap();
            assert!(changes.enqueued > 0, "a writer never had its turn");
            told.enqueued += changes.enqueued;
            told.ended += changes.ended;
            told.cancelled += changes.cancelled;
        }
        let count = |query: &str| desk.lines(query)[0].parse::<usize>().unwrap();
        let jobs = |status: &str| {
            count(&format!("SELECT CAST(count(*) AS TEXT) AS line FROM jobs WHERE status IN ({status})"))
        };
        let written = Changes {
            enqueued: count("SELECT CAST(count(*) AS TEXT) AS line FROM jobs"),
            ended: jobs("'succeeded', 'failed'"),
            cancelled: jobs("'cancelled'"),
        };
        assert_eq!(written, told);
        let told = count("SELECT CAST(count(*) AS TEXT) AS line FROM outbox");
        assert_eq!(told, written.ended + written.cancelled);
        assert_eq!(desk.lines("SELECT integrity_check AS line FROM pragma_integrity_check"), ["ok"]);
    });
}
