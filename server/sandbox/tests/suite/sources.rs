//! The sources of the sandbox, for the tests that look at them.

use std::path::Path;

/// A source file.
pub struct Source {
    /// Where it lies below the folder, with `/` between folders.
    pub path: String,
    pub text: String,
}

impl Source {
    /// All files below a folder, which is seen from the crate.
    pub fn all(folder: &str) -> Vec<Self> {
        let mut found = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut found);
        assert!(found.len() > 5, "the sources in {folder} were not found");
        found
    }
}

fn collect(folder: &Path, below: &str, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("the sources are here") {
        let entry = entry.expect("readable");
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(entry.path()).expect("UTF-8");
            found.push(Source { path, text });
        }
    }
}

/// What ships of a file: tests at its end may do as they please.
pub fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// What a line says apart from its comment.
pub fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}
