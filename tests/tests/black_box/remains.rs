//! Objects that an attempt finishes when its job is no longer its own: nobody can fetch them, and they are removed,
//! though everything else of the job was removed before.

use super::jobs::{caller, ended, enqueue, export, sweep};
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Registry, Unfinished, Work};
use argus_core::jobs::workers::{WorkerSettings, Workers};
use argus_core::objects::{Collection, ObjectKey, Objects};
use argus_server::settings::Role;
use argus_tests::{Caller, Installation, TestServer, on_both_engines, sql};
use http::Method;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

on_both_engines! {
    what_a_cancelled_job_finishes_afterwards_is_removed
    what_a_lost_worker_finishes_after_its_job_has_failed_is_removed
    what_a_lost_worker_finishes_after_another_has_succeeded_is_removed_and_the_result_is_kept
    what_a_worker_left_that_died_before_it_could_say_so_is_removed_with_the_results
}

const DAY: i64 = 24 * 3600 * 1_000_000;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// An export that writes its result only when it may, and does not hear that nobody wants it any more.
struct Deaf {
    objects: Objects,
    begun: Arc<Semaphore>,
    may_write: Arc<Semaphore>,
}

impl Work for Deaf {
    const KIND: &'static str = "export.bulk";
    type Payload = Value;

    async fn run(&self, job: &Assignment, _: Value) -> Result<Option<StoredResult>, Unfinished> {
        self.begun.add_permits(1);
        // Only the first attempt is slow.
        if job.attempt == 1 {
            self.may_write.acquire().await.unwrap().forget();
        }
        let attempt = if job.attempt > 1 { format!("-{}", job.attempt) } else { String::new() };
        let name = format!("{}{attempt}.ndjson", job.id);
        let key = ObjectKey::new(Collection::Results, job.context.tenant_id(), &name).unwrap();
        let mut writer = self.objects.put(&key);
        writer.write("{}\n".into()).await.unwrap();
        let stored = writer.finish().await.unwrap();
        Ok(Some(StoredResult { key: key.to_string(), length: stored.length, sha256: stored.sha256 }))
    }
}

/// A server, whose jobs these workers do, and a job that one of them has begun with.
struct Scene {
    workers: Option<Workers>,
    begun: Arc<Semaphore>,
    may_write: Arc<Semaphore>,
    caller: Caller,
    id: String,
    server: TestServer,
}

impl Scene {
    async fn open(mut installation: Installation) -> Self {
        installation.settings.role = Role::Api;
        let server = TestServer::from(installation);
        let caller = caller(&server).await;
        let id = enqueue(&caller, &export("ndjson")).await;
        let (begun, may_write) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let app = server.state();
        let (objects, begins, waits) = (app.jobs.objects.clone(), Arc::clone(&begun), Arc::clone(&may_write));
        let workers = Workers::start(
            app.database.every_tenant.clone(),
            Arc::new(Registry::default().with(Deaf { objects, begun: begins, may_write: waits })),
            app.jobs.signals.clone(),
            app.jobs.happenings.clone(),
            app.clock.clone(),
            // It looks for lost leases ten times a second, and keeps its own every one and a half.
            WorkerSettings { slots: 2, lease: Duration::from_secs(6), poll: Duration::from_millis(100) },
        );
        begun.acquire().await.unwrap().forget();
        Self { workers: Some(workers), begun, may_write, caller, id, server }
    }

    fn sql(&self, statements: &str) {
        sql::execute(&mut self.server.connect(), statements).unwrap();
    }

    /// Takes the job from its worker, as if nothing had been heard of it.
    async fn lose_the_worker(&self) {
        let attempt = "SELECT CAST(lease AS TEXT) AS line FROM jobs WHERE lease IS NOT NULL";
        let lost = sql::lines(&mut self.server.connect(), attempt).unwrap().remove(0);
        let patience = tokio::time::Instant::now() + LONG;
        loop {
            // It may have been kept meanwhile.
            self.sql(&format!("UPDATE jobs SET lease_until = 0 WHERE lease = {lost}"));
            let held = format!("SELECT id AS line FROM jobs WHERE lease = {lost}");
            if sql::lines(&mut self.server.connect(), &held).unwrap().is_empty() {
                return;
            }
            assert!(tokio::time::Instant::now() < patience, "it is not taken");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The files that all attempts have left.
    fn files(&self) -> Vec<PathBuf> {
        let directory = self.server.data_dir().join("objects/results").join(&*self.caller.tenancy.tenant_id);
        let entries = std::fs::read_dir(directory).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    async fn job(&self) -> Value {
        self.caller.get(&format!("/v1/jobs/{}", self.id)).await.expect(200).json()
    }

    /// Lets the first attempt write its result, and waits until it has said how it ended.
    async fn finish(&mut self) {
        self.may_write.add_permits(1);
        assert_eq!(self.workers.take().unwrap().stop(LONG).await, 0);
    }

    /// There is no result, nor an object of one, after sweeping.
    async fn nothing_remains(&self) {
        let path = format!("/v1/jobs/{}/result", self.id);
        self.caller.get(&path).await.expect(409);
        assert_eq!(self.files().len(), 1, "it was written after all");
        assert_eq!(sweep(&self.server).await, 1);
        assert_eq!(self.files(), Vec::<PathBuf>::new());
        self.caller.get(&path).await.expect(409);
        assert_eq!(sweep(&self.server).await, 0);
    }
}

async fn what_a_cancelled_job_finishes_afterwards_is_removed(installation: Installation) {
    let mut scene = Scene::open(installation).await;
    assert_eq!(scene.job().await["status"], "running");
    let path = format!("/v1/jobs/{}", scene.id);
    scene.caller.send(scene.caller.request(Method::DELETE, &path)).await.expect(204);
    assert_eq!(sweep(&scene.server).await, 1, "it is looked at, and nothing is there yet");
    scene.finish().await;
    assert_eq!(scene.job().await["status"], "cancelled");
    scene.nothing_remains().await;
}

async fn what_a_lost_worker_finishes_after_its_job_has_failed_is_removed(installation: Installation) {
    let mut scene = Scene::open(installation).await;
    scene.sql("UPDATE jobs SET max_attempts = 1");
    scene.lose_the_worker().await;
    assert_eq!(scene.job().await["error"]["code"], "lease_lost");
    assert_eq!(sweep(&scene.server).await, 1, "it is looked at, and nothing is there yet");
    scene.finish().await;
    assert_eq!(scene.job().await["status"], "failed");
    scene.nothing_remains().await;
}

async fn what_a_lost_worker_finishes_after_another_has_succeeded_is_removed_and_the_result_is_kept(
    installation: Installation,
) {
    let mut scene = Scene::open(installation).await;
    scene.lose_the_worker().await;
    scene.begun.acquire().await.unwrap().forget();
    assert_eq!(ended(&scene.caller, &scene.id).await["status"], "succeeded");
    assert_eq!(sweep(&scene.server).await, 1);
    let kept = scene.files();
    assert!(kept.len() == 1 && kept[0].ends_with(format!("{}-2.ndjson", scene.id)), "{kept:?}");
    scene.finish().await;
    assert_eq!(scene.files().len(), 2);
    assert_eq!(sweep(&scene.server).await, 1);
    assert_eq!(scene.files(), kept);
    let path = format!("/v1/jobs/{}/result", scene.id);
    let url = scene.caller.get(&path).await.expect(200).text("signed_url");
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "{}\n");
    assert_eq!(sweep(&scene.server).await, 0);
}

async fn what_a_worker_left_that_died_before_it_could_say_so_is_removed_with_the_results(
    installation: Installation,
) {
    let mut scene = Scene::open(installation).await;
    let path = format!("/v1/jobs/{}", scene.id);
    scene.caller.send(scene.caller.request(Method::DELETE, &path)).await.expect(204);
    assert_eq!(sweep(&scene.server).await, 1);
    scene.finish().await;
    let age = |days: i64| {
        let age = days * DAY;
        format!(
            "UPDATE jobs SET completed_at = completed_at - {age}, cleanup_at = completed_at + {} - {age}",
            30 * DAY
        )
    };
    // As if the worker had said nothing.
    scene.sql(&age(29));
    assert_eq!((sweep(&scene.server).await, scene.files().len()), (0, 1));
    scene.sql(&age(2));
    scene.nothing_remains().await;
}
