//! Every target over its committed seeds and what lies next to them, on a stable toolchain.

use argus_fuzz_checks::CHECKS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Names of what a folder holds, without their extension.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).expect("a folder");
    let stem = |entry: fs::DirEntry| entry.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries.filter_map(|entry| stem(entry.expect("an entry"))).collect()
}

#[test]
fn every_check_has_a_target_and_seeds() {
    let checks: BTreeSet<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), checks);
    assert_eq!(names("seeds"), checks);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest");
    for name in checks {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let target = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).expect("a target");
        assert!(target.contains(&format!("argus_fuzz_checks::{name}::check(input)")), "{name}");
    }
}

#[test]
fn the_checks_hold_for_every_seed_its_beginnings_and_its_neighbours() {
    for (name, check) in CHECKS {
        check(b"");
        for entry in fs::read_dir(fuzz().join("seeds").join(name)).expect("a folder of seeds") {
            let seed = fs::read(entry.expect("an entry").path()).expect("a seed");
            check(&seed);
            for at in 0..seed.len() {
                check(&seed[..at]);
                for flip in [0x01, 0x20, 0x80] {
                    let mut neighbour = seed.clone();
                    neighbour[at] ^= flip;
                    check(&neighbour);
                }
            }
        }
    }
}
