//! The service's log: one line a record, on standard error.

use slog::{Drain, FilterLevel, KV, Key, Level, Logger, OwnedKVList, Record, Serializer};
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// A logger that passes on what is at least as severe as `least`.
///
/// The filter stands before the channel to the writing thread: dropshot makes several records a
/// request, and each one that crosses the channel only to be dropped behind it wakes that thread.
pub fn logger(least: FilterLevel) -> Logger {
    let Some(level) = Level::from_usize(least.as_usize()) else {
        return Logger::root(slog::Discard, slog::o!());
    };
    let writer = slog_async::Async::new(StandardError.ignore_res()).build();
    // A log that cannot be written must not stop the service, so the outcome is ignored.
    let wanted = writer.filter(move |record| record.level().is_at_least(level) && !is_refusal(record));
    Logger::root(wanted.ignore_res(), slog::o!())
}

/// Whether the record is dropshot's complaint that the version policy refused a request. Ours refuses
/// what no operation matches; that is a caller's mistake and counted, not an error to be logged.
fn is_refusal(record: &Record<'_>) -> bool {
    record.level() == Level::Error && record.module().starts_with("dropshot::versioning")
}

/// Writes each record as one line of text to standard error.
struct StandardError;

impl Drain for StandardError {
    type Ok = ();
    type Err = std::io::Error;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> std::io::Result<()> {
        writeln!(std::io::stderr().lock(), "{}", line(record, values))
    }
}

fn line(record: &Record<'_>, values: &OwnedKVList) -> String {
    let time = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let mut line = Line(format!("{time} {} ", record.level().as_short_str()));
    // What is written to memory is written, so there is no error to report.
    let _ = write!(line.0, "{}", Shown(&record.msg().to_string()));
    let _ = record.kv().serialize(record, &mut line);
    let _ = values.serialize(record, &mut line);
    line.0
}

struct Line(String);

impl Serializer for Line {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        let text = value.to_string();
        // A caller may have put a secret where none belongs; queries stay out of the log.
        let shown = if key == "uri" { text.split('?').next().unwrap_or_default() } else { &text };
        write!(self.0, " {key}=\"{}\"", Shown(shown))?;
        Ok(())
    }
}

/// Text without line breaks or other control characters, so that a record is one line.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(f, "\\{character}"),
            _ if character.is_control() => write!(f, "{}", character.escape_default()),
            _ => f.write_char(character),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Drain for Kept {
        type Ok = ();
        type Err = slog::Never;

        fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), slog::Never> {
            self.0.lock().expect("not poisoned").push(line(record, values));
            Ok(())
        }
    }

    #[test]
    fn a_record_is_one_line_and_the_query_of_a_request_stays_out() {
        let kept = Kept::default();
        let log = Logger::root(kept.clone(), slog::o!("uri" => "/v1/jobs?access_token=hidden"));
        slog::info!(log, "two\nlines"; "cause" => "a \"quoted\" one");
        let lines = kept.0.lock().expect("not poisoned");
        assert!(
            lines[0].ends_with(r#" INFO two\nlines cause="a \"quoted\" one" uri="/v1/jobs""#),
            "{lines:?}"
        );
    }
}
