//! What callgrind counts while a server runs under it, between two moments that the bench chooses.

use crate::process::Running;
use std::collections::HashMap;
use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that callgrind writes for one server.
pub struct Profile(PathBuf);

impl Profile {
    /// The profile under this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// A command that runs `program` under callgrind.
    pub fn command(&self, program: &Path) -> Command {
        let mut out_file = OsString::from("--callgrind-out-file=");
        out_file.push(&self.0);
        let mut command = Command::new("valgrind");
        // With its dumps in one file they are read as one, and need no number.
        command.args(["--tool=callgrind", "--quiet", "--combine-dumps=yes"]).arg(out_file).arg(program);
        // With more threads it is chance which of them wake up for a request.
        command.env("TOKIO_WORKER_THREADS", "1");
        command
    }

    /// Forgets what was counted so far.
    pub fn begin(&self, server: &Running) -> Result<(), Box<dyn Error>> {
        control(server, "--zero")
    }

    /// What was counted since the beginning.
    pub fn end(&self, server: &Running) -> Result<Counted, Box<dyn Error>> {
        control(server, "--dump")?;
        let counted = self.counted()?;
        // The next dump begins a new file.
        std::fs::remove_file(&self.0)?;
        Ok(counted)
    }

    /// What was counted of a program that has ended.
    pub fn counted(&self) -> std::io::Result<Counted> {
        Counted::parse(BufReader::new(std::fs::File::open(&self.0)?))
    }
}

fn control(server: &Running, action: &str) -> Result<(), Box<dyn Error>> {
    let output = Command::new("callgrind_control").arg(action).arg(server.id().to_string()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("callgrind_control {action}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Totals of what a server did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Instructions, those of SHA-256 left out: valgrind hides the processor's own instructions for
    /// it, so that the software path would drown the rest.
    pub instructions: u64,
    /// Instructions of SHA-256.
    pub hashing: u64,
    /// Calls of the allocator that ask for memory or for more of it.
    pub allocations: u64,
}

/// What a function is to this count.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Role {
    /// Compresses blocks of SHA-256; calls nothing.
    Hashing,
    /// An entrance of an allocator.
    Allocation,
    /// Behind such an entrance.
    Allocator,
    #[default]
    Other,
}

impl Role {
    fn of(function: &str) -> Self {
        match function {
            "malloc" | "calloc" | "realloc" | "aligned_alloc" | "posix_memalign" => Self::Allocation,
            "mi_malloc_aligned" | "mi_zalloc_aligned" | "mi_realloc_aligned" => Self::Allocation,
            _ if function.starts_with("mi_") || function.starts_with("_mi_") => Self::Allocator,
            _ if function.contains("sha256") && function.contains("compress") => Self::Hashing,
            _ => Self::Other,
        }
    }
}

impl Counted {
    /// Reads callgrind's format (Callgrind Format Specification, version 1): a function's own cost
    /// lines stand below its `fn` line; a line after `calls` has what the called function cost.
    fn parse(mut lines: impl BufRead) -> std::io::Result<Self> {
        let (mut counted, mut roles) = (Self::default(), HashMap::new());
        let (mut function, mut called, mut in_call) = (Role::Other, Role::Other, false);
        let mut line = Vec::new();
        while {
            line.clear();
            lines.read_until(b'\n', &mut line)? > 0
        } {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if let Some(name) = text.strip_prefix("fn=") {
                function = role(name, &mut roles);
            } else if let Some(name) = text.strip_prefix("cfn=") {
                called = role(name, &mut roles);
            } else if let Some(calls) = text.strip_prefix("calls=") {
                in_call = true;
                let from_outside = !matches!(function, Role::Allocation | Role::Allocator);
                if called == Role::Allocation && from_outside {
                    counted.allocations += number(calls.split(' ').next());
                }
            } else if text.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                // A cost line: a position and the instructions, where there are any.
                let own = if std::mem::take(&mut in_call) { 0 } else { number(text.split(' ').nth(1)) };
                match function {
                    Role::Hashing => counted.hashing += own,
                    _ => counted.instructions += own,
                }
            }
        }
        Ok(counted)
    }
}

/// The role of a function that is named as `(number) name`, and by its number alone from then on.
fn role(name: &str, roles: &mut HashMap<String, Role>) -> Role {
    let (number, name) = name.split_once(' ').unwrap_or((name, ""));
    if name.is_empty() {
        return roles.get(number).copied().unwrap_or_default();
    }
    // A recursive call has a name of its own, with the depth behind an apostrophe.
    let role = Role::of(name.rsplit_once('\'').map_or(name, |(name, _)| name));
    roles.insert(number.to_owned(), role);
    role
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "events: Ir\n\nfn=(1) server\n10 5\n+2 7\ncfn=(2) mi_malloc_aligned\ncalls=3 0\n* 90\n\
        cfn=(4) sha2::sha256::soft::compress\ncalls=1 0\n12 1000\n\nfn=(2)\n0 60\ncfn=(3) mi_realloc_aligned\n\
        calls=2 0\n0 30\n\nfn=(3)\n0 30\n\nfn=(4)\n0 1000\n\nfn=(5) frees\n0 1\ncfn=(2)\ncalls=4 0\n0 8\n";

    #[test]
    fn own_costs_are_added_and_those_of_called_functions_are_not() {
        let counted = Counted::parse(OUTPUT.as_bytes()).expect("readable");
        assert_eq!(counted.instructions, 5 + 7 + 60 + 30 + 1);
        assert_eq!(counted.hashing, 1000);
    }

    #[test]
    fn an_allocation_is_counted_where_the_allocator_is_entered() {
        assert_eq!(Counted::parse(OUTPUT.as_bytes()).expect("readable").allocations, 3 + 4);
    }
}
