//! Proves that the sandbox cannot reach anything outside of its arguments: by what cargo resolves
//! for it, and by what its sources and those of `argus-wire` name.

use crate::sources::{Source, code, shipped};
use std::process::Command;

/// Crates that reach a network, a database, a clock, the file system or randomness, or that run
/// others' code. A name ending in `*` stands for all crates that begin so.
const FORBIDDEN: &[&str] = &[
    "tokio*",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "hyper*",
    "h2",
    "reqwest",
    "ureq",
    "http-body*",
    "tower*",
    "dropshot*",
    "axum*",
    "actix*",
    "rustls*",
    "openssl*",
    "native-tls",
    "aws-lc*",
    "ring",
    "diesel*",
    "rusqlite",
    "libsqlite3-sys",
    "pq-sys",
    "postgres*",
    "sqlx*",
    "redis",
    "rand",
    "rand_*",
    "getrandom",
    "fastrand",
    "uuid",
    "ulid",
    "ahash",
    "instant",
    "web-time",
    "time",
    "iana-time-zone",
    "windows-*",
    "tempfile",
    "walkdir",
    "notify",
    "memmap2",
    "libloading",
    "nix",
    "rustix",
    "opentelemetry*",
    "slog*",
    "tracing*",
    "jsonwebtoken",
];

/// What the crate resolves to, one line a package: name, version, features.
fn resolved() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "argus-sandbox", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}|{f}", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, as it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

#[test]
fn no_dependency_reaches_a_network_a_database_a_clock_or_randomness() {
    let lines = resolved();
    for expected in ["argus-openapi", "argus-wire", "sha2", "serde_json", "chrono"] {
        assert!(lines.iter().any(|line| name(line) == expected), "the listing lacks {expected}: {lines:#?}");
    }
    for line in lines.iter().filter(|line| !line.contains("(proc-macro)")) {
        let forbidden = FORBIDDEN.iter().find(|forbidden| match forbidden.strip_suffix('*') {
            Some(start) => name(line).starts_with(start),
            None => name(line) == **forbidden,
        });
        assert_eq!(forbidden, None, "the sandbox depends on {line}");
    }
}

#[test]
fn chrono_has_no_clock() {
    let lines = resolved();
    let chrono = lines.iter().find(|line| name(line) == "chrono").expect("chrono is resolved");
    let features: Vec<&str> = chrono.split_once('|').expect("features are listed").1.split(',').collect();
    assert!(features.contains(&"serde"), "the features were not read: {chrono}");
    for clock in ["clock", "now", "std", "default", "iana-time-zone", "winapi", "wasmbind"] {
        assert!(!features.contains(&clock), "chrono has the feature {clock}");
    }
}

#[test]
fn the_contract_crate_comes_without_its_http_side() {
    let lines = resolved();
    let contract = lines.iter().find(|line| name(line) == "argus-openapi").expect("resolved");
    let features = contract.split_once('|').expect("features are listed").1;
    assert!(!features.contains("api") && !features.contains("publish"), "{contract}");
}

/// Names that would let a source file reach around its arguments.
const FORBIDDEN_PATHS: &[&str] = &[
    "std::net",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "std::os",
    "SystemTime",
    "Instant",
    "RandomState",
    "HashMap",
    "HashSet",
    "Utc::now",
    "Local::now",
    "thread_local",
    "static mut",
    "OnceLock",
    "LazyLock",
    "Mutex",
    "RwLock",
    "Atomic",
    "RefCell",
    "env!(",
    "println!",
    "unsafe",
];

fn violations(text: &str) -> Vec<String> {
    let names = |line: &&str| FORBIDDEN_PATHS.iter().any(|path| code(line).contains(path));
    shipped(text).lines().filter(names).map(str::to_owned).collect()
}

#[test]
fn no_source_file_names_the_outside_or_keeps_state() {
    for Source { path, text } in Source::all("src").into_iter().chain(Source::all("../wire/src")) {
        // A list such as `use std::{fs, net}` would hide names from the scan.
        let hidden = text.lines().filter(|line| code(line).contains("use std::{")).count();
        assert_eq!((violations(&text), hidden), (Vec::new(), 0), "{path}");
    }
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert_eq!(violations("use std::fs;\nlet a = 1; // std::net\n").len(), 1);
    assert_eq!(violations("let now = std::time::SystemTime::now();").len(), 1);
    assert_eq!(violations("fn a() {}\n#[cfg(test)]\nuse std::fs;").len(), 0);
}
