//! Which crate of the workspace may depend on which, and what the machinery may not know: by what cargo
//! resolves, and by what the sources name.

use argus_openapi::Operation;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that serve HTTP.
const HTTP_SERVERS: [&str; 8] = ["actix-web", "axum", "dropshot", "poem", "rocket", "salvo", "tonic", "warp"];
/// What serves HTTP in a crate that clients need as well.
const HTTP_SERVER_FEATURES: [&str; 2] = ["hyper feature \"server\"", "hyper-util feature \"server\""];

/// An edge of the house: a crate, all crates of the workspace that it may reach, and whether it may serve
/// HTTP.
struct Edge {
    package: &'static str,
    reaches: &'static [&'static str],
    serves: bool,
}

const EDGES: [Edge; 7] = [
    Edge { package: "argus-wire", reaches: &[], serves: false },
    Edge { package: "argus-openapi", reaches: &["argus-wire"], serves: false },
    Edge { package: "argus-sandbox", reaches: &["argus-openapi", "argus-wire"], serves: false },
    Edge { package: "argus-core", reaches: &["argus-openapi", "argus-wire"], serves: false },
    Edge { package: "argus-partner", reaches: &["argus-core", "argus-openapi", "argus-wire"], serves: false },
    Edge {
        package: "argus-server",
        reaches: &["argus-core", "argus-openapi", "argus-partner", "argus-sandbox", "argus-wire"],
        serves: true,
    },
    // It reaches the hosts over the wire alone.
    Edge { package: "argus-sdk", reaches: &["argus-wire"], serves: false },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every crate that ships with a crate, and the crate itself.
fn resolved(package: &str) -> BTreeSet<String> {
    let text = tree(package, "normal");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// What serves HTTP and ships with a crate.
fn servers(package: &str, resolved: &BTreeSet<String>) -> Vec<&'static str> {
    let features = tree(package, "normal,features");
    let on = |feature: &&str| features.lines().any(|line| line.trim_end_matches(" (*)") == *feature);
    let crates = HTTP_SERVERS.into_iter().filter(|name| resolved.contains(*name));
    crates.chain(HTTP_SERVER_FEATURES.into_iter().filter(on)).collect()
}

/// What cargo says of a crate's dependencies.
fn tree(package: &str, edges: &str) -> String {
    tree_with(package, edges, "")
}

/// The same with features of the crate.
fn tree_with(package: &str, edges: &str, features: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--features", features])
        .args(["--package", package, "--edges", edges, "--prefix", "none", "--format", "{p}"])
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_crate_reaches_those_below_it_and_no_other() {
    for Edge { package, reaches, serves } in EDGES {
        let resolved = resolved(package);
        let own: Vec<&str> = resolved
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("argus-") && *name != package)
            .collect();
        assert_eq!(own, reaches, "{package}");
        let servers = servers(package, &resolved);
        assert_eq!(!servers.is_empty(), serves, "{package} has {servers:?}");
    }
}

/// The server's crate is a choice of whoever has one, and brings no server of ours along.
#[test]
fn the_sdk_reaches_an_http_server_only_by_the_feature_that_is_named_after_it() {
    let text = tree_with("argus-sdk", "normal", "axum");
    let resolved: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let servers: Vec<&str> = HTTP_SERVERS.into_iter().filter(|name| resolved.contains(name)).collect();
    assert_eq!(servers, ["axum"]);
    assert!(!resolved.contains("argus-server"));
}

/// The mocks are for tests of whoever has the client, and come without a server, a database or a clock.
#[test]
fn the_sdk_reaches_the_sandbox_only_by_the_feature_that_is_named_after_it() {
    let text = tree_with("argus-sdk", "normal", "sandbox");
    let resolved: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let own: Vec<&str> = resolved.iter().copied().filter(|name| name.starts_with("argus-")).collect();
    assert_eq!(own, ["argus-openapi", "argus-sandbox", "argus-sdk", "argus-wire"]);
    let servers: Vec<&str> = HTTP_SERVERS.into_iter().filter(|name| resolved.contains(name)).collect();
    assert_eq!((servers, resolved.contains("diesel")), (Vec::new(), false));
}

/// What a file says in code that ships, without comments.
fn shipped(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    shipped.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every source file below a folder of the repository.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 5, "the sources in {folder} were not found");
    found
}

/// The words of a text that name an operation: its id, or a value of the enum.
fn operations_in(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c: char| !is_word(c))
        .filter(|word| Operation::from_id(word).is_some() || word.contains("Operation::"))
        .collect()
}

#[test]
fn the_core_names_no_operation() {
    for (path, text) in sources("server/core/src") {
        assert_eq!(operations_in(&shipped(&text)), Vec::<&str>::new(), "{}", path.display());
    }
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let id = Operation::ALL[0].id();
    assert_eq!(operations_in(&shipped(&format!("let a = \"{id}\"; // {id}"))), [id]);
    assert_eq!(operations_in(&shipped("match x { Operation::JobCreate => 1 }")), ["Operation::JobCreate"]);
    assert_eq!(operations_in(&shipped("fn a() {}\n#[cfg(test)]\nuse Operation::JobCreate;")), [""; 0]);
    assert_eq!(operations_in("pub operation: Option<&'static OperationRow>"), [""; 0]);
}
