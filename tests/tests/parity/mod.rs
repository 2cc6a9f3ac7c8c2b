//! One behaviour, two hosts: every operation of the contract and every example of a request is sent to the live api
//! host and to the sandbox host, and so is what can be wrong with it. Status, headers and the shape of the reply
//! are compared; that each reply is the one that is published is judged on the way, as for every answer. In what
//! the hosts may differ stands in [`differences`], each with its reason, and what does not differ any more must go.
//!
//! - [`cases`]: what is sent
//! - [`scene`]: two servers, and jobs in each state on either host
//! - [`comparison`]: in what two answers differ

mod cases;
pub(crate) mod comparison;
mod differences;
mod scene;

use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use cases::Case;
use differences::{DIFFERENCES, Difference, ONE_HOST};
use scene::Scene;
use std::collections::{BTreeMap, BTreeSet};

/// In what the answers to a case differ, by the operation and the case.
type Found = BTreeMap<(&'static str, String), Vec<String>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_live_host_answers_the_sandbox_answers_alike() {
    let scene = Scene::set().await;
    let mut found = Found::new();
    for row in ARGUS.rows.iter().filter(|row| row.served_by(Host::Api) && row.served_by(Host::Sandbox)) {
        if row.stays_inside() {
            continue;
        }
        for case in Case::of(row) {
            let live = scene.answer(&case, Host::Api).await;
            let sandbox = scene.answer(&case, Host::Sandbox).await;
            let differing = comparison::differences(&case, &live, &sandbox);
            if !differing.is_empty() {
                found.insert((row.id, case.name), differing);
            }
        }
    }
    let complaints = complaints(&found, &DIFFERENCES);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What is not in the list, and what the list has in vain.
fn complaints(found: &Found, list: &[Difference]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for ((operation, case), differing) in found {
        for what in differing {
            let known = list.iter().position(|line| line.covers(operation, case, what));
            match known {
                Some(place) => drop(used.insert(place)),
                None => complaints.push(format!("{operation}, {case}: {what}")),
            }
        }
    }
    let stale = (0..list.len()).filter(|place| !used.contains(place)).map(|place| {
        let Difference { operation, case, what, .. } = &list[place];
        format!("{operation}, {case}: {what} does not differ any more; take it out of the list")
    });
    complaints.extend(stale);
    complaints
}

#[test]
fn a_difference_without_a_line_and_a_line_without_a_difference_are_complaints() {
    let line = Difference { operation: "job_view", case: "usual", what: "status", reason: "a test" };
    let found = |what: &str| {
        let differing = vec![format!("{what} 200 on the live host, 404 on the sandbox")];
        Found::from([(("job_view", "usual".to_owned()), differing)])
    };
    assert!(complaints(&found("status"), &[line]).is_empty());
    assert_eq!(complaints(&found("header etag"), &[line]).len(), 2);
    assert_eq!(complaints(&Found::new(), &[line]).len(), 1);
    assert_eq!(complaints(&found("status"), &[]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_host_alone_serves_is_in_the_list_and_is_404_on_the_other() {
    let scene = Scene::set().await;
    let rows = || ARGUS.rows.iter().filter(|row| row.is_published());
    let listed: BTreeSet<&str> = ONE_HOST.iter().map(|(operation, _)| *operation).collect();
    let of_one: BTreeSet<&str> = rows()
        .filter(|row| row.served_by(Host::Api) != row.served_by(Host::Sandbox))
        .map(|row| row.id)
        .collect();
    assert_eq!(listed, of_one, "the list is that of the operation table");
    for row in rows() {
        for host in [Host::Api, Host::Sandbox] {
            if row.served_by(host) {
                continue;
            }
            let answer = scene.answer(&Case::usual(row), host).await;
            // Where another method of the path is served, the method is what is wrong.
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{} {}\n{answer:?}", row.id, host.name());
        }
    }
}
