//! Processes of one installation that start at the same moment.

use crate::engine::{Surroundings, admin, app};
use crate::oauth::authenticates;
use argus_openapi::types::scopes::Scope;
use argus_server::identity::{Identity, IdentitySettings, tenants};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

on_both_engines! {
    processes_that_start_together_share_one_schema_one_key_and_one_pepper
}

const DATA_DIR: &str = "ARGUS_TEST_CHILD_DATA_DIR";
const DATABASE_URL: &str = "ARGUS_TEST_CHILD_DATABASE_URL";
const MARK: &str = "key of this process: ";

async fn processes_that_start_together_share_one_schema_one_key_and_one_pepper(surroundings: Surroundings) {
    let processes: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "processes::a_process_opens_a_fresh_installation"])
                .env(DATA_DIR, &surroundings.settings.data_dir)
                .env(DATABASE_URL, &surroundings.settings.database_url)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut kids = Vec::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let (_, rest) = text.split_once(MARK).expect("the child did not run");
        kids.push(rest.lines().next().unwrap().to_owned());
    }
    let identity = surroundings.identity();
    let published = identity.keys().jwks().keys;
    assert_eq!(published.len(), 1);
    assert!(kids.iter().all(|kid| kid == &published[0].kid), "{kids:?}");
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    assert!(authenticates(&identity, &created.app.client_id, created.client_secret.expose()).await);
}

/// On its own it opens an installation of its own; as a child of the test above, the shared one.
#[test]
fn a_process_opens_a_fresh_installation() {
    crate::engine::run(async {
        let own = Surroundings::sqlite();
        let settings = match (std::env::var_os(DATA_DIR), std::env::var(DATABASE_URL)) {
            (Some(data_dir), Ok(database_url)) => {
                IdentitySettings { database_url, ..IdentitySettings::new(&PathBuf::from(data_dir)) }
            }
            _ => own.settings.clone(),
        };
        let identity = Identity::open(settings).unwrap();
        tenants::create(&identity, "From this process").await.unwrap();
        let line = format!("\n{MARK}{}\n", identity.keys().list()[0].kid);
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    });
}
