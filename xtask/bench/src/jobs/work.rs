//! Working on jobs that do nothing: how fast a queue of them is drained, and how long one takes from the commit that
//! accepted it to the commit that ended it, beside bare commits on the same disk.

use crate::callgrind::Profile;
use crate::database::{BenchDatabase, settings};
use crate::report::{Line, quantile};
use crate::statements;
use argus_core::context::{Context, Live};
use argus_core::jobs::intake::Intake;
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::signals::Signals;
use argus_core::jobs::view::{Job, Viewer};
use argus_core::jobs::work::{Assignment, Registry, Unfinished, Work};
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::jobs::{Enqueued, NewJob};
use argus_core::outbox::Happenings;
use argus_core::store::Database;
use argus_core::{Clock, tenants};
use argus_openapi::types::common::SecrecyLevel;
use diesel::connection::SimpleConnection;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Jobs in the queue that is drained.
const QUEUED: u64 = 100_000;
/// Slots of the node that drains it.
const SLOTS: u32 = 512;
/// How often the job that is timed is looked at.
const LOOK: Duration = Duration::from_micros(50);
/// Jobs whose way is timed, one at a time.
const TIMED: usize = 300;

/// Jobs that are done before instructions are counted, and those whose instructions count.
const COUNTED: (u64, u64) = (200, 1000);

/// The kind of job that does nothing. It is told how many of them there are, and tells when all are done.
#[derive(Clone, Default)]
struct Nothing(Arc<Counter>);

#[derive(Default)]
struct Counter {
    left: AtomicU64,
    all_done: Notify,
}

/// `argus-bench work`: a node that does so many jobs and ends.
#[derive(clap::Args)]
pub struct Options {
    /// Where the jobs are.
    #[arg(long)]
    database: String,
    /// How many there are.
    #[arg(long)]
    jobs: u64,
}

impl Work for Nothing {
    const KIND: &'static str = "bench.nothing";
    type Payload = serde_json::Value;

    async fn run(&self, _: &Assignment, _: serde_json::Value) -> Result<Option<StoredResult>, Unfinished> {
        if self.0.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.all_done.notify_one();
        }
        Ok(None)
    }
}

/// A node that works on the database.
pub struct Node {
    pub database: Database,
    pub caller: Context<Live>,
    signals: Signals,
}

impl Node {
    pub async fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let (database, clock) = (open(url).await?, Clock::system());
        let tenant = tenants::create(&database.requests, &clock, &"Bench".parse()?).await?;
        Ok(Self { database, caller: tenant.operator(&clock), signals: Signals::default() })
    }

    fn work(&self, slots: u32) -> Workers {
        work(&self.database, &self.signals, Nothing::default(), slots)
    }

    /// Queues jobs that do nothing, so many at once.
    pub fn queue(&self, database: &BenchDatabase, count: u64) -> Result<(), Box<dyn Error>> {
        let principal = &self.caller.principal;
        database.fill(
            1..count + 1,
            principal.tenant_id.as_str(),
            principal.organization_id.as_str(),
            Nothing::KIND,
        )
    }
}

fn work(database: &Database, signals: &Signals, nothing: Nothing, slots: u32) -> Workers {
    let registry = Arc::new(Registry::default().with(nothing));
    let settings = WorkerSettings { slots, ..WorkerSettings::default() };
    let every_tenant = database.every_tenant.clone();
    Workers::start(every_tenant, registry, signals.clone(), Happenings::default(), Clock::system(), settings)
}

async fn open(url: &str) -> Result<Database, Box<dyn Error>> {
    let settings = settings(url);
    let open = move || {
        Database::migrate(&settings, &[])?;
        Database::open(&settings, &[])
    };
    Ok(tokio::task::spawn_blocking(open).await??)
}

/// Does so many jobs and ends.
pub fn until_done(options: &Options) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let (database, nothing) = (open(&options.database).await?, Nothing::default());
        nothing.0.left.store(options.jobs, Ordering::Relaxed);
        let workers = work(&database, &Signals::default(), nothing.clone(), SLOTS);
        nothing.0.all_done.notified().await;
        workers.stop(Duration::from_secs(60)).await;
        Ok(())
    })
}

/// How many instructions a node takes for a job: those for many, less those for a few.
pub async fn instructions(few: &BenchDatabase, many: &BenchDatabase) -> Result<Line, Box<dyn Error>> {
    let (before, counted) = COUNTED;
    let less = instructions_for(few, before).await?;
    let more = instructions_for(many, before + counted).await?;
    Ok(Line {
        what: format!("instructions for each of them on {}", few.engine()),
        measured: format!("{:.0}", more.saturating_sub(less) as f64 / counted as f64),
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal: "-",
    })
}

async fn instructions_for(database: &BenchDatabase, jobs: u64) -> Result<u64, Box<dyn Error>> {
    Node::open(&database.url).await?.queue(database, jobs)?;
    database.analyze()?;
    let directory = tempfile::tempdir()?;
    let profile = Profile::new(directory.path().join("profile"));
    let (url, jobs) = (database.url.as_str(), jobs.to_string());
    let mut command = profile.command(&std::env::current_exe()?);
    let ended = command.args(["work", "--database", url, "--jobs", &jobs]).status()?;
    if !ended.success() {
        return Err(format!("a node under callgrind ended with {ended}").into());
    }
    let counted = profile.counted()?;
    Ok(counted.instructions + counted.hashing)
}

/// How fast a queue is drained.
pub async fn drain(database: &BenchDatabase) -> Result<Vec<Line>, Box<dyn Error>> {
    let node = Node::open(&database.url).await?;
    node.queue(database, QUEUED)?;
    database.analyze()?;
    let (statements, bytes) = (statements::count(), database.written()?);
    let started = Instant::now();
    let workers = node.work(SLOTS);
    while database.count("SELECT count(*) AS count FROM jobs WHERE status IN ('queued', 'running')")? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = started.elapsed();
    let (statements, bytes) = (statements::count() - statements, database.written()? - bytes);
    workers.stop(Duration::from_secs(5)).await;
    let told = database.count("SELECT count(*) AS count FROM outbox")?;
    if told != QUEUED {
        return Err(format!("{QUEUED} jobs were drained, and {told} ends were told").into());
    }
    let engine = database.engine();
    let line = |what: &str, measured: String, goal| Line {
        what: format!("{what} on {engine}"),
        measured,
        compared: "-".to_owned(),
        ratio: "-".to_owned(),
        goal,
    };
    let each = |number: u64| format!("{:.2}", number as f64 / QUEUED as f64);
    Ok(vec![
        line(
            &format!("draining {QUEUED} jobs that do nothing, {SLOTS} slots,"),
            format!("{:.0}/s", QUEUED as f64 / took.as_secs_f64()),
            if database.is_postgres() { "12000/s" } else { "-" },
        ),
        line("statements for each of them", each(statements), "-"),
        line("bytes written for each of them", each(bytes), "-"),
    ])
}

/// How long a job takes from the commit that accepted it to the commit that ended it.
pub async fn latency(database: &BenchDatabase) -> Result<Vec<Line>, Box<dyn Error>> {
    let node = Node::open(&database.url).await?;
    let workers = node.work(32);
    let intake = Intake::new(node.database.requests.clone());
    database.execute("CREATE TABLE bare_commits (n BIGINT NOT NULL)")?;
    let mut bare = database.connect()?;
    let (mut jobs, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..TIMED {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let started = Instant::now();
        bare.batch_execute("INSERT INTO bare_commits VALUES (1)")?;
        commits.push(started.elapsed().as_secs_f64() * 1000.0);
        let Enqueued::New(receipt) = intake.accept(&node.caller, nothing()).await? else {
            return Err("a job without a key is new".into());
        };
        node.signals.enqueued();
        let started = Instant::now();
        let key = (receipt.id, Viewer::of(&node.caller));
        loop {
            let key = key.clone();
            let view = move |reader: &mut argus_core::store::Reader<'_>| reader.load::<Job>(&key);
            if node.database.requests.read_row(&node.caller, view).await?.completed_at.is_some() {
                break;
            }
            // Whoever asked without a pause would take a processor from those who work.
            tokio::task::spawn_blocking(|| std::thread::sleep(LOOK)).await?;
        }
        jobs.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    workers.stop(Duration::from_secs(5)).await;
    let line = |name: &str, part: f64, more: f64, goal| {
        let (job, commit) = (quantile(jobs.clone(), part), quantile(commits.clone(), part));
        Line {
            what: format!(
                "from the commit of a job that does nothing to that of its end on {}, {name}",
                database.engine()
            ),
            measured: format!("{job:.2} ms"),
            compared: format!("bare commit: {commit:.2} ms"),
            ratio: format!("{:.2}", job / (3.0 * commit + more)),
            goal,
        }
    };
    Ok(vec![
        line("p50", 0.5, 3.0, "at most 1 of 3 commits + 3 ms"),
        line("p99", 0.99, 10.0, "at most 1 of 3 commits + 10 ms"),
    ])
}

fn nothing() -> NewJob {
    NewJob {
        kind: Nothing::KIND,
        payload: "{}".to_owned(),
        secrecy_level: SecrecyLevel::Standard,
        callback_url: None,
        idempotency_key: None,
        max_attempts: 5,
    }
}
