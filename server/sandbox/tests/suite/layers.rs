//! Proves the order of the rooms: `engine/` names no operation and knows nothing of `partner/`, and no
//! module imports one that imports it.

use crate::sources::{Source, code, shipped};
use argus_openapi::Operation;
use std::collections::{BTreeMap, BTreeSet};

/// Contract types that the engine may use. Those of a topic are the product's.
const ENGINE_TYPES: [&str; 2] = ["common", "error"];

fn program(text: &str) -> String {
    shipped(text).lines().map(code).collect::<Vec<_>>().join("\n")
}

fn words(program: &str) -> impl Iterator<Item = &str> {
    program.split(|character: char| !character.is_alphanumeric() && character != '_')
}

/// What a file of the engine says that it must not.
fn trespasses(text: &str) -> Vec<String> {
    let program = program(text);
    let names_operation = |word: &&str| Operation::from_id(word).is_some() || *word == "partner";
    let mut found: Vec<String> = words(&program).filter(names_operation).map(str::to_owned).collect();
    found.extend(after(&program, "Operation::").filter(|name| name.starts_with(char::is_uppercase)));
    found.extend(after(&program, "types::").filter(|topic| !ENGINE_TYPES.contains(&topic.as_str())));
    found
}

/// The words that follow a text.
fn after<'p>(program: &'p str, text: &'p str) -> impl Iterator<Item = String> + 'p {
    program.match_indices(text).map(move |(at, _)| {
        let rest = &program[at + text.len()..];
        words(rest).next().unwrap_or_default().to_owned()
    })
}

#[test]
fn the_engine_names_no_operation_and_nothing_of_the_product_s() {
    let engine: Vec<Source> =
        Source::all("src").into_iter().filter(|source| source.path.starts_with("engine/")).collect();
    assert!(engine.len() > 10, "the engine was not found");
    for Source { path, text } in engine {
        assert_eq!(trespasses(&text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn the_scan_of_the_engine_finds_what_it_looks_for() {
    assert_eq!(trespasses("use crate::partner::jobs; // crate::partner"), ["partner"]);
    assert_eq!(trespasses("let a = \"job_create\";"), ["job_create"]);
    assert_eq!(trespasses("const A: Operation = Operation::JobCreate;"), ["JobCreate"]);
    assert_eq!(trespasses("use argus_openapi::types::jobs::Job;"), ["jobs"]);
    assert_eq!(trespasses("use argus_openapi::types::{jobs, common};"), [""]);
    assert!(trespasses("use argus_openapi::types::error::Error;\nOperation::id").is_empty());
}

/// The module of a file: `partner/jobs/mod.rs` is `partner::jobs`.
fn module(path: &str) -> String {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.strip_suffix("/mod").unwrap_or(path).replace('/', "::")
}

/// Which modules each one needs: those that it declares and those whose paths it names.
fn graph(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeSet<String> = sources.iter().map(|source| module(&source.path)).collect();
    let needs = |source: &Source| {
        let own = module(&source.path);
        let program = program(&source.text);
        let mut needed: BTreeSet<String> = modules
            .iter()
            .filter(|module| module.rsplit_once("::").is_some_and(|(parent, _)| parent == own))
            .cloned()
            .collect();
        needed.extend(named(&program).iter().map(|path| nearest(path, &modules)));
        needed.remove(&own);
        (own, needed)
    };
    sources.iter().filter(|source| source.path != "lib.rs").map(needs).collect()
}

/// The paths below `crate::` that a program names, those in braces each for itself.
fn named(program: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in program.match_indices("crate::") {
        let rest = &program[at + "crate::".len()..];
        let end = rest.find(|character: char| !character.is_alphanumeric() && !"_:".contains(character));
        let path = &rest[..end.unwrap_or(rest.len())];
        match rest[path.len()..].strip_prefix('{') {
            None => paths.push(path.to_owned()),
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                paths.extend(list.split(',').map(|item| format!("{path}{}", item.trim())));
            }
        }
    }
    paths
}

/// The module that a path leads into.
fn nearest(path: &str, modules: &BTreeSet<String>) -> String {
    let mut path = path;
    while !modules.contains(path) {
        match path.rsplit_once("::") {
            Some((parent, _)) => path = parent,
            // An item of the crate's root, which needs all of them.
            None => return "lib".to_owned(),
        }
    }
    path.to_owned()
}

/// Takes away modules that need none of those that are left. What stays goes in a circle.
fn circle(mut graph: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, needed| needed.iter().any(|module| left.contains(module) || module == "lib"));
        if graph.len() == before {
            return graph.into_keys().collect();
        }
    }
}

#[test]
fn no_module_needs_one_that_needs_it() {
    let sources = Source::all("src");
    let graph = graph(&sources);
    assert!(graph["partner::sandbox"].contains("partner::jobs::listed"), "the imports were not read");
    assert!(graph["partner::jobs"].contains("partner::sandbox"), "the imports were not read");
    assert_eq!(circle(graph), Vec::<String>::new());
    // The scan reads paths from the root; there are no others.
    for Source { path, text } in sources {
        assert!(!program(&text).contains("super::"), "{path}");
    }
}

#[test]
fn the_search_for_circles_finds_them() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let found = |imports: [&str; 3]| {
        let paths = ["a/mod.rs", "a/b.rs", "c.rs"];
        circle(graph(&paths.iter().zip(imports).map(|(path, text)| source(path, text)).collect::<Vec<_>>()))
    };
    assert!(found(["use crate::c::D;", "use crate::c::{D, E};", ""]).is_empty());
    assert_eq!(found(["", "use crate::a::B;", ""]), ["a", "a::b"], "by way of a folder's own file");
    assert_eq!(found(["", "use crate::c;", "use crate::a::b;"]), ["a", "a::b", "c"]);
    assert_eq!(found(["", "use crate::{a, c};", "use crate::Root;"]), ["a", "a::b", "c"]);
}
