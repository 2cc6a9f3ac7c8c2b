//! In which order a result and the end of its job get to the disk, as the kernel sees it: a job has succeeded only
//! after its file and the file's name are there to stay.

use super::lines;
use crate::black_box::jobs::{caller, ended, enqueue, import, profile};
use crate::black_box::support::binary;
use argus_server::settings::Role;
use argus_tests::{Installation, TestServer, Worker, look_for, run_on_sqlite};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,pwrite64";

/// A call of the system that succeeded: when it began and ended, in seconds, and how it reads.
struct Call {
    began: f64,
    ended: f64,
    text: String,
}

/// What `strace` has written into a directory, a file for each thread.
fn calls(directory: &Path) -> Vec<Call> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
    let call = |line: &str| {
        let (began, rest) = line.split_once(' ')?;
        let (text, took) = rest.strip_suffix('>')?.rsplit_once(" <")?;
        let began: f64 = began.parse().ok()?;
        Some(Call { began, ended: began + took.parse::<f64>().ok()?, text: text.to_owned() })
    };
    texts.flat_map(|text| text.lines().filter_map(call).collect::<Vec<_>>()).collect()
}

#[test]
fn a_job_has_succeeded_only_after_its_result_and_its_name_are_on_the_disk_on_sqlite() {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
    {
        // Not through `eprintln!`, which the test harness keeps to itself.
        std::io::stderr()
            .write_all(b"\nSKIPPED: the order of writes, because strace does not work here\n\n")
            .unwrap();
        return;
    }
    run_on_sqlite(async |mut installation: Installation| {
        installation.settings.role = Role::Api;
        let server = TestServer::from(installation);
        let caller = caller(&server).await;
        let traces = server.scratch().join("traces");
        std::fs::create_dir(&traces).unwrap();
        let output = traces.join("thread").display().to_string();
        // The tracer is nobody's parent, so that it ends with what it traces.
        let tracer = ["strace", "-D", "-ff", "-ttt", "-T", "-y", "-s", "70000", "-e", CALLS, "-o", &output];
        let worker = Worker::start_by(&tracer, binary(), server.installation(), &[]);
        let job = ended(&caller, &enqueue(&caller, &import(&json!([profile("p1")]))).await).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        drop(worker);
        let key = lines(&server, "SELECT result_key AS line FROM jobs").remove(0);
        let (directory, _) = key.rsplit_once('/').unwrap();
        let first = |what: &str, is: &dyn Fn(&Call) -> bool| {
            let found = look_for(|| {
                let found = calls(&traces).into_iter().filter(is);
                found.min_by(|one, other| one.began.total_cmp(&other.began))
            });
            found.unwrap_or_else(|| panic!("there is no {what}"))
        };
        let is_sync = |call: &Call, what: &str| call.text.contains("sync(") && call.text.contains(what);
        let content = first("sync of the content", &|call| is_sync(call, &format!("/{key}#")));
        let target = format!("/{key}\"");
        let named = first("name", &|call| call.text.starts_with("rename") && call.text.contains(&target));
        // The directory was synced when it was made, too.
        let is_later = |call: &Call| call.began >= named.ended;
        let name =
            first("sync of the name", &|call| is_later(call) && is_sync(call, &format!("/{directory}>")));
        let told = first("end", &|call| {
            call.text.starts_with("pwrite") && call.text.contains("-wal>") && call.text.contains("succeeded")
        });
        assert!(content.ended <= named.began, "it is named before it is on the disk");
        assert!(name.ended <= told.began, "it has succeeded before its name is on the disk");
    });
}
