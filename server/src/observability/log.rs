//! The service's log: one line a record, on standard error. Own code writes to it through `tracing`;
//! dropshot's `slog` records are bridged into it.

use slog::{Drain, Key, Logger, OwnedKVList, Record, Serializer};
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes what is still to be written when it is dropped.
pub struct LogWriter {
    _guard: tracing_appender::non_blocking::WorkerGuard,
}

/// Sends what is at least as severe as `least` to standard error from now on. A thread of its own writes,
/// so that no request waits for it. Only the first call of a process counts.
pub fn start_log(least: LevelFilter) -> LogWriter {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(least)
        .with_writer(writer)
        .with_ansi(false)
        .event_format(OneLine)
        .finish();
    // A second start in one process keeps the log of the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    LogWriter { _guard: guard }
}

/// A logger for dropshot, whose records become events of `tracing`.
///
/// It filters before anything else is done: dropshot makes several records a request, and nearly all of
/// them are below the level.
pub fn bridge(least: LevelFilter) -> Logger {
    let level = match least.into_level() {
        None => return Logger::root(slog::Discard, slog::o!()),
        Some(Level::ERROR) => slog::Level::Error,
        Some(Level::WARN) => slog::Level::Warning,
        Some(Level::INFO) => slog::Level::Info,
        Some(Level::DEBUG) => slog::Level::Debug,
        Some(Level::TRACE) => slog::Level::Trace,
    };
    let wanted = Bridge.filter(move |record| record.level().is_at_least(level) && !is_refusal(record));
    Logger::root(wanted.ignore_res(), slog::o!())
}

/// Whether the record is dropshot's complaint that the version policy refused a request. Ours refuses
/// what no operation matches; that is a caller's mistake and counted, not an error to be logged.
fn is_refusal(record: &Record<'_>) -> bool {
    record.level() == slog::Level::Error && record.module().starts_with("dropshot::versioning")
}

struct Bridge;

impl Drain for Bridge {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), slog::Never> {
        use slog::KV;
        let mut pairs = Pairs(String::new());
        // What is written to memory is written, so there is no error to report.
        let _ = record.kv().serialize(record, &mut pairs);
        let _ = values.serialize(record, &mut pairs);
        let (message, pairs) = (record.msg(), Raw(&pairs.0));
        match record.level() {
            slog::Level::Critical | slog::Level::Error => tracing::error!(pairs = ?pairs, "{message}"),
            slog::Level::Warning => tracing::warn!(pairs = ?pairs, "{message}"),
            slog::Level::Info => tracing::info!(pairs = ?pairs, "{message}"),
            slog::Level::Debug => tracing::debug!(pairs = ?pairs, "{message}"),
            slog::Level::Trace => tracing::trace!(pairs = ?pairs, "{message}"),
        }
        Ok(())
    }
}

/// Pairs that are already written out.
struct Raw<'a>(&'a str);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Name of the field that carries [`Raw`] pairs.
const PAIRS: &str = "pairs";

/// ` key="value"` for each pair.
struct Pairs(String);

impl Serializer for Pairs {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        let text = value.to_string();
        let shown = if key == "uri" { without_secrets(&text) } else { &text };
        write!(self.0, " {key}=\"{}\"", Shown(shown))?;
        Ok(())
    }
}

/// Links whose rest is a secret.
const SECRET_LINKS: [&str; 1] = ["/invitation/"];

/// What of a URI may be logged. A caller may have put a secret where none belongs, so that queries stay out of the log.
fn without_secrets(uri: &str) -> &str {
    let path = uri.split('?').next().unwrap_or_default();
    SECRET_LINKS.into_iter().find(|link| path.starts_with(link)).unwrap_or(path)
}

/// Time, severity, message and fields in one line.
struct OneLine;

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let now = argus_core::Clock::system().now();
        let time = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let level = match *event.metadata().level() {
            Level::ERROR => "ERRO",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            Level::DEBUG => "DEBG",
            Level::TRACE => "TRCE",
        };
        let mut line = Line::default();
        event.record(&mut line);
        writeln!(out, "{time} {level} {}{}", Shown(&line.message), line.fields)
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // What is written to memory is written, so there is no error to report.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            PAIRS => write!(self.fields, "{value:?}"),
            name => write!(self.fields, " {name}=\"{}\"", Shown(&format!("{value:?}"))),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.fields, " {}=\"{}\"", field.name(), Shown(value));
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
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is logged while `work` runs.
    fn logged(work: impl FnOnce()) -> String {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::INFO)
            .with_writer(kept.clone())
            .event_format(OneLine)
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = kept.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_bridged_record_is_one_line_and_the_query_of_a_request_stays_out() {
        let text = logged(|| {
            let log = bridge(LevelFilter::INFO).new(slog::o!("uri" => "/v1/jobs?access_token=hidden"));
            slog::info!(log, "two\nlines"; "cause" => "a \"quoted\" one");
            slog::debug!(log, "below the level");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.ends_with(" INFO two\\nlines cause=\"a \\\"quoted\\\" one\" uri=\"/v1/jobs\"\n"),
            "{text}"
        );
    }

    #[test]
    fn an_event_of_own_code_is_one_line_with_its_fields() {
        let text = logged(|| tracing::error!(operation = "app_create", cause = %"a\nb", "operation failed"));
        assert!(
            text.ends_with(" ERRO operation failed operation=\"app_create\" cause=\"a\\nb\"\n"),
            "{text}"
        );
    }
}
