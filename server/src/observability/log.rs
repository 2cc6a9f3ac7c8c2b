//! The service's log: one line a record, on standard error.

use slog::{Drain, FilterLevel, Level, Logger};
use slog_term::{FullFormat, TermDecorator};

/// A logger that passes on what is at least as severe as `least`.
///
/// The filter stands before the channel to the writing thread: dropshot makes several records a
/// request, and each one that crosses the channel only to be dropped behind it wakes that thread.
pub fn logger(least: FilterLevel) -> Logger {
    let terminal = FullFormat::new(TermDecorator::new().stderr().build()).build().fuse();
    let writer = slog_async::Async::new(terminal).build().fuse();
    let drain = match Level::from_usize(least.as_usize()) {
        Some(level) => slog::LevelFilter::new(writer, level).fuse(),
        None => return Logger::root(slog::Discard, slog::o!()),
    };
    Logger::root(drain, slog::o!())
}
