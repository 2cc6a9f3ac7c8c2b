//! The oldest entries go, a prefix and nothing else, and leave a checkpoint from which a check begins.

use super::Scene;
use argus_core::audit::prune::Retention;
use argus_core::audit::verify::Defect;
use argus_core::context::{Context, Live};
use argus_core::store::Tx;
use argus_core::{Clock, Objects, audit};
use argus_partner::sweeper::Sweeper;
use argus_tests::{Installation, on_both_engines, sql};
use chrono::{DateTime, Utc};
use std::sync::Arc;

on_both_engines! {
    pruning_takes_a_prefix_and_leaves_a_signed_checkpoint_from_which_a_check_begins
    what_does_not_check_is_not_pruned
    the_sweeper_prunes_what_is_older_than_the_retention
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Appends an entry that says it happened at this moment.
async fn append_at(scene: &Scene, at: &str, times: usize) {
    let mut invocation = scene.admin.invocation().clone();
    invocation.clock = Clock::standing(moment(at));
    let append =
        move |tx: &mut Tx<'_>| (0..times).try_for_each(|_| audit::append(tx, "app.secret.rotate", "app_1"));
    scene.identity.store().write(&Context::new(invocation, Live), append).await.unwrap();
    scene.link().await;
}

/// A chain whose first entries, more than one transaction takes, are of January, and whose newest are of November.
async fn years(installation: Installation) -> Scene {
    let scene = Scene::open(installation).await;
    scene.tamper("UPDATE audit_events SET occurred_at = '2025-12-31 12:00:00'");
    append_at(&scene, "2026-01-01T12:00:00Z", 600).await;
    append_at(&scene, "2026-11-01T12:00:00Z", 2).await;
    // Late: it stands behind younger ones, and stays as long as these do.
    append_at(&scene, "2026-01-02T12:00:00Z", 1).await;
    append_at(&scene, "2026-11-02T12:00:00Z", 1).await;
    scene
}

async fn pruning_takes_a_prefix_and_leaves_a_signed_checkpoint_from_which_a_check_begins(
    installation: Installation,
) {
    let scene = years(installation).await;
    let (before, newest) = (scene.ids(), scene.verdict().await.hash);
    let prune = |before: &str| scene.said(&["audit", "prune", "--before", before]);
    assert_eq!(prune("2025-01-01"), [""; 0]);
    let removed = format!("{}/live  removed 601 entries", scene.tenant_id());
    assert_eq!(prune("2026-06-01"), [removed]);
    assert_eq!(scene.ids(), before[601..]);
    let verdict = scene.verdict().await;
    assert_eq!((verdict.defects, verdict.checked, verdict.pruned), (Vec::new(), 4, 601));
    assert_eq!(verdict.hash, newest, "the newest hash is what it was");
    assert_eq!(prune("2026-06-01"), [""; 0], "nothing is pruned twice");
    // It goes on, and the tampered row is found behind the checkpoint.
    append_at(&scene, "2026-11-03T12:00:00Z", 1).await;
    assert_eq!(scene.defects().await, []);
    scene.tamper("UPDATE audit_events SET actor = 'x' WHERE sequence = 603");
    assert!(matches!(scene.defects().await[..], [Defect::Changed { sequence: 603, .. }]));
    scene.tamper("DELETE FROM audit_events WHERE sequence = 602");
    assert!(scene.defects().await.contains(&Defect::Removed { first: 602, last: 602 }));
    // Who removes more and moves the checkpoint has not signed it.
    scene.tamper(
        "UPDATE audit_checkpoints SET sequence = 603, hash = (SELECT hash FROM audit_events WHERE sequence = 603); \
         DELETE FROM audit_events WHERE sequence = 603",
    );
    assert_eq!(scene.defects().await, [Defect::ForgedCheckpoint]);
}

async fn what_does_not_check_is_not_pruned(installation: Installation) {
    let scene = years(installation).await;
    scene.tamper("UPDATE audit_events SET actor = 'somebody else' WHERE sequence = 7");
    let output = scene.command(&["audit", "prune", "--before", "2026-06-01"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("entry 7 is not as it was linked"), "{said}");
    assert_eq!(scene.ids().len(), 605, "it is the evidence");
}

async fn the_sweeper_prunes_what_is_older_than_the_retention(installation: Installation) {
    let scene = years(installation).await;
    let settings = &scene.installation.settings;
    let objects =
        Objects::open(&settings.objects, Arc::clone(scene.identity.pepper()), Clock::system()).unwrap();
    let clock = Clock::standing(moment("2026-11-03T12:00:00Z"));
    let retention = |days| Some(Retention { key: Arc::clone(&scene.key), days, clock: clock.clone() });
    let sweeper = |days| {
        Sweeper::new(scene.database.every_tenant.clone(), objects.clone()).keeping_audit(retention(days))
    };
    assert_eq!(sweeper(400).sweep().await.unwrap().removed, 0);
    let mut sweeper = sweeper(30);
    while sweeper.sweep().await.unwrap().removed > 0 {}
    let verdict = scene.verdict().await;
    assert_eq!((verdict.defects, verdict.pruned, verdict.checked), (Vec::new(), 601, 4));
    let waiting = "SELECT CAST(count(*) AS TEXT) AS line FROM audit_events";
    assert_eq!(sql::lines(&mut scene.installation.connect(), waiting).unwrap(), ["4"]);
}
