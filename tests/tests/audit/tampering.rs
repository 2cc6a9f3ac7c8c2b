//! Whoever may write to the database changes, removes, moves, cuts off or adds entries: a check names them.

use super::Scene;
use argus_core::Error;
use argus_core::audit::Chain;
use argus_core::audit::verify::{Defect, Known, Selection};
use argus_core::store::AnyConnection;
use argus_tests::{Installation, on_both_engines, sql};
use chrono::TimeDelta;

on_both_engines! {
    a_changed_byte_in_any_row_is_named
    what_cannot_be_read_any_more_is_named
    a_removed_a_reordered_and_a_replaced_row_are_named
    a_cut_end_shows_and_nothing_is_linked_behind_it
    a_chain_that_is_hashed_anew_does_not_fit_its_head
    a_chain_that_is_gone_or_lacks_its_head_is_named
    entries_that_wait_too_long_for_their_place_are_named
    what_was_noted_elsewhere_shows_a_database_that_was_set_back
    no_role_may_change_an_entry_or_its_place_and_no_one_may_remove_it_unpruned
}

/// A value of each column that is not what stood there.
const CHANGES: [&str; 11] = [
    "actor = actor || 'x'",
    "user_id = 'usr_x'",
    "action = 'app.creatf'",
    "subject = 'x' || substr(subject, 2)",
    "secrecy_level = 'standarc'",
    "occurrences = occurrences + 1",
    "occurred_at = '2026-01-01 00:00:00.000001'",
    "hash = '0' || substr(hash, 1, 63)",
    "previous_hash = CASE WHEN previous_hash LIKE 'f%' THEN 'e' ELSE 'f' END || substr(previous_hash, 2)",
    "previous_hash = NULL",
    "id = 'x' || substr(id, 2)",
];

async fn a_changed_byte_in_any_row_is_named(installation: Installation) {
    let scene = Scene::with_entries(installation, 4).await;
    scene.keep();
    for (place, change) in (1..=5).flat_map(|place| CHANGES.map(|change| (place, change))) {
        scene.tamper(&format!("UPDATE audit_events SET {change} WHERE sequence = {place}"));
        let defects = scene.defects().await;
        assert!(
            matches!(&defects[..], [Defect::Changed { sequence, .. }] if *sequence == place),
            "{place} {change}: {defects:?}"
        );
        scene.restore();
        assert_eq!(scene.defects().await, []);
    }
    let before = scene.ids();
    scene.tamper("UPDATE audit_events SET actor = 'somebody else' WHERE sequence = 3");
    let output = scene.command(&["audit", "verify", "--tenant", scene.tenant_id()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("\n  changed: entry 3 ({})\n", before[2])), "{said}");
}

async fn what_cannot_be_read_any_more_is_named(installation: Installation) {
    let scene = Scene::with_entries(installation, 3).await;
    if !scene.installation.is_sqlite() {
        // PostgreSQL takes nothing that is not of the column's type.
        let refused = sql::execute(
            &mut scene.installation.connect(),
            "SET session_replication_role = replica; UPDATE audit_events SET occurred_at = 'yesterday noon'",
        );
        refused.unwrap_err();
        return assert_eq!(scene.defects().await, []);
    }
    scene.tamper("UPDATE audit_events SET occurred_at = 'noon' WHERE sequence = 2");
    scene.tamper("UPDATE audit_events SET subject = CAST(x'ff' AS TEXT) WHERE sequence = 4");
    let (second, fourth) = (Defect::Unreadable { sequence: 2 }, Defect::Unreadable { sequence: 4 });
    assert_eq!(scene.defects().await, [second, fourth]);
    scene.tamper(
        "UPDATE audit_events SET occurred_at = '2026-01-01', subject = 'app_x' WHERE sequence IN (2, 4)",
    );
}

async fn a_removed_a_reordered_and_a_replaced_row_are_named(installation: Installation) {
    let scene = Scene::with_entries(installation, 9).await;
    let ids = scene.ids();
    let id = |place: usize| ids[place - 1].clone();
    scene.keep();
    let again = || scene.restore();

    scene.tamper("DELETE FROM audit_events WHERE sequence IN (4, 5)");
    assert_eq!(scene.defects().await, [Defect::Removed { first: 4, last: 5 }]);
    again();
    // Their places alone are exchanged.
    let exchange = "UPDATE audit_events SET sequence = -sequence WHERE sequence IN (3, 7); \
        UPDATE audit_events SET sequence = 10 + sequence WHERE sequence < 0";
    scene.tamper(exchange);
    let moved = |id: String, sequence, linked_at| Defect::Moved { id, sequence, linked_at };
    assert_eq!(scene.defects().await, [moved(id(7), 3, 7), moved(id(3), 7, 3)]);
    again();
    // All but their places is exchanged.
    let exchange = "UPDATE audit_events SET id = 'kept', subject = (SELECT subject FROM kept WHERE sequence = 4) \
        WHERE sequence = 8; \
        UPDATE audit_events SET id = (SELECT id FROM kept WHERE sequence = 8), \
        subject = (SELECT subject FROM kept WHERE sequence = 8) WHERE sequence = 4; \
        UPDATE audit_events SET id = (SELECT id FROM kept WHERE sequence = 4) WHERE sequence = 8";
    scene.tamper(exchange);
    assert_eq!(scene.defects().await, [moved(id(8), 4, 8), moved(id(4), 8, 4)]);
    again();
    // One is taken out, and all behind it are numbered anew.
    scene.tamper(
        "DELETE FROM audit_events WHERE sequence = 6; UPDATE audit_events SET sequence = -sequence WHERE sequence > 6; \
         UPDATE audit_events SET sequence = -1 - sequence WHERE sequence < 0",
    );
    let defects = scene.defects().await;
    assert_eq!(defects[0], moved(id(7), 6, 7), "{defects:?}");
    assert!(defects.contains(&Defect::CutOff { first: 10, last: 10 }), "{defects:?}");
    again();
    // The entry of another place, with its hash.
    scene.tamper(
        "UPDATE audit_events SET subject = 'app_x', hash = (SELECT hash FROM kept WHERE sequence = 2) WHERE sequence = 5",
    );
    assert_eq!(scene.defects().await, [Defect::Changed { sequence: 5, id: id(5) }]);
    again();
    assert_eq!(scene.defects().await, []);
}

async fn a_cut_end_shows_and_nothing_is_linked_behind_it(installation: Installation) {
    let scene = Scene::with_entries(installation, 5).await;
    scene.keep();
    scene.tamper("DELETE FROM audit_events WHERE sequence > 4");
    assert_eq!(scene.defects().await, [Defect::CutOff { first: 5, last: 6 }]);
    // The head is set back, too. The linker would sign for it if it went on from there.
    scene.tamper(
        "UPDATE audit_chains SET sequence = 4, hash = (SELECT hash FROM audit_events WHERE sequence = 4)",
    );
    assert_eq!(scene.defects().await, [Defect::ForgedHead]);
    scene.append(1).await;
    assert_eq!(scene.link().await, 0);
    // Chains of others go on.
    let other = crate::identity::support::admin(&scene.identity).await;
    assert_eq!(scene.link().await, 1);
    let selection = Selection { tenant_id: Some(other.tenant_id().clone()), environment: None };
    assert_eq!(scene.verifier().verify(&selection).await.unwrap()[0].defects, []);
    scene.tamper("INSERT INTO audit_events SELECT * FROM kept WHERE sequence > 4");
    assert_eq!(scene.defects().await, [Defect::ForgedHead, Defect::BehindHead { first: 5 }]);
}

async fn a_chain_that_is_hashed_anew_does_not_fit_its_head(installation: Installation) {
    let scene = Scene::with_entries(installation, 3).await;
    // By whoever knows the rules, with a key of his own: another installation stands for him.
    scene.tamper(
        "UPDATE audit_events SET subject = 'app_x' WHERE sequence = 2; \
         UPDATE audit_events SET sequence = NULL, previous_hash = NULL, hash = NULL; DELETE FROM audit_chains",
    );
    let other = scene.installation.another();
    let (_theirs, identity) = other.database_and_identity();
    let key = argus_core::audit::Key::of(identity.pepper()).unwrap();
    let mut forger = argus_core::audit::linker::Linker::new(scene.database.clone(), key.into());
    assert_eq!(forger.link_all().await.unwrap(), 4);
    assert_eq!(scene.defects().await, [Defect::ForgedHead]);
    scene.append(1).await;
    assert_eq!(scene.link().await, 0);
}

async fn a_chain_that_is_gone_or_lacks_its_head_is_named(installation: Installation) {
    let scene = Scene::with_entries(installation, 3).await;
    scene.keep();
    scene.tamper("DELETE FROM audit_chains");
    assert_eq!(scene.defects().await, [Defect::NoHead]);
    scene.tamper("DELETE FROM audit_events");
    assert_eq!(scene.defects().await, [Defect::Gone]);
    scene.restore();
    assert_eq!(scene.defects().await, []);
}

async fn entries_that_wait_too_long_for_their_place_are_named(installation: Installation) {
    let scene = Scene::with_entries(installation, 1).await;
    scene.append(2).await;
    let verdict = scene.verdict().await;
    assert_eq!((verdict.defects, verdict.unlinked), (Vec::new(), 2), "they may wait for a minute");
    let oldest = "SELECT min(id) AS line FROM audit_events WHERE sequence IS NULL";
    let id = sql::lines(&mut scene.installation.connect(), oldest).unwrap().remove(0);
    scene.tamper("UPDATE audit_events SET occurred_at = '2026-01-01 00:00:00' WHERE sequence IS NULL");
    let defects = scene.defects().await;
    let [Defect::Unlinked { count: 2, id: named, seconds }] = &defects[..] else { panic!("{defects:?}") };
    assert_eq!(*named, id);
    assert!(TimeDelta::seconds(*seconds) > TimeDelta::days(30), "{seconds}");
    assert_eq!(scene.command(&["audit", "verify"]).status.code(), Some(1));
    assert_eq!(scene.said(&["audit", "link"]), ["linked 2 entries"]);
    assert_eq!(scene.defects().await, []);
}

async fn what_was_noted_elsewhere_shows_a_database_that_was_set_back(installation: Installation) {
    let scene = Scene::with_entries(installation, 1).await;
    scene.keep();
    scene.append(2).await;
    scene.link().await;
    let noted = scene.installation.scratch().join("heads");
    std::fs::write(&noted, scene.said(&["audit", "verify"]).join("\n")).unwrap();
    let noted = noted.to_str().unwrap();
    scene.said(&["audit", "verify", "--known", noted]);
    // All of it is as it once was, signatures included.
    scene.restore();
    assert_eq!(scene.defects().await, []);
    let output = scene.command(&["audit", "verify", "--known", noted]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("entry 4 does not have the hash that is known of it"), "{said}");
    let chain = Chain { tenant_id: "tnt_gone".to_owned(), environment: "live".to_owned() };
    let verifier = scene.verifier().knowing(vec![Known { chain, sequence: 1, hash: String::new() }]);
    let verdicts = verifier.verify(&Selection::default()).await.unwrap();
    let gone = verdicts.iter().find(|verdict| verdict.chain.tenant_id == "tnt_gone").unwrap();
    assert!(gone.defects.contains(&Defect::NotAsKnown { sequence: 1 }), "{gone:?}");
}

async fn no_role_may_change_an_entry_or_its_place_and_no_one_may_remove_it_unpruned(
    installation: Installation,
) {
    let scene = Scene::with_entries(installation, 2).await;
    scene.append(1).await;
    let content = "UPDATE audit_events SET actor = 'somebody else'";
    for statement in [
        content,
        "UPDATE audit_events SET actor = 'x', sequence = 9, hash = 'x', previous_hash = 'x' WHERE sequence IS NULL",
        "UPDATE audit_events SET sequence = 9 WHERE sequence = 1",
        "UPDATE audit_events SET sequence = NULL, hash = NULL, previous_hash = NULL",
        "DELETE FROM audit_events WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence IS NULL",
        "DELETE FROM audit_chains",
        "UPDATE audit_chains SET sequence = 1",
        "DELETE FROM audit_checkpoints",
    ] {
        let attempt =
            move |connection: &mut AnyConnection| Ok::<_, Error>(sql::execute(connection, statement)?);
        let worker = scene.database.every_tenant.run(attempt).await;
        let owner = sql::execute(&mut scene.installation.connect_as_owner(), statement);
        if statement.ends_with("checkpoints") && scene.installation.is_sqlite() {
            // There is none to remove.
            continue;
        }
        for refused in [worker.unwrap_err().to_string(), owner.unwrap_err().to_string()] {
            let why = ["append-only", "permission denied"];
            assert!(why.iter().any(|why| refused.contains(why)), "{statement}: {refused}");
        }
    }
    assert_eq!(scene.link().await, 1);
    assert_eq!(scene.defects().await, []);
}
