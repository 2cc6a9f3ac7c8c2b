//! Rows out of an upload, in bounded memory whatever it holds: no line and no inflated content is longer than
//! its bound. Runs on a thread of its own, because decompressing blocks.

use super::{csv, ndjson};
use argus_core::jobs::work::Unfinished;
use argus_openapi::types::jobs::ExportFormat;
use argus_openapi::types::profiles::ProfileRecord;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Longest row, in bytes.
pub(super) const ROW_MAX: usize = 64 * 1024;
/// Most bytes of an upload once it is inflated.
pub(super) const INFLATED_MAX: u64 = 1024 * 1024 * 1024;
/// How much is read at a time.
const BUFFER: usize = 64 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A row, and the line that it begins on.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    /// The profile, or why it is none.
    pub(super) content: Result<Box<ProfileRecord>, String>,
}

impl Row {
    pub(super) fn good(line: u64, record: ProfileRecord) -> Self {
        Self { line, content: Ok(Box::new(record)) }
    }
}

/// How much of an upload was read, before it was inflated.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU64);

impl Progress {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why no more rows come.
pub(super) enum Over {
    /// Nobody wants them.
    Unwanted,
    /// A row is longer than its bound; the line that it begins on.
    RowTooLong(u64),
    /// What the columns are called is not as it has to be.
    Header(String),
    /// The upload could not be read; the line that was reached.
    Read(u64, io::Error),
}

impl Over {
    fn unfinished(self, inflated_max: u64) -> Unfinished {
        match self {
            Self::Unwanted => Unfinished::Stopped,
            Self::RowTooLong(line) => Unfinished::failed(
                "row_too_long",
                format!("the row on line {line} has more than {ROW_MAX} bytes"),
            ),
            Self::Header(message) => Unfinished::failed("invalid_header", message),
            Self::Read(line, error) if error.kind() == io::ErrorKind::FileTooLarge => Unfinished::failed(
                "upload_too_large",
                format!(
                    "the upload has more than {inflated_max} bytes once it is inflated; reached at line {line}"
                ),
            ),
            Self::Read(line, error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Unfinished::failed(
                    "invalid_upload",
                    format!("the upload cannot be inflated beyond line {line}: {error}"),
                )
            }
            Self::Read(line, error) => Unfinished::transient(
                "objects_unavailable",
                format!("the upload could not be read beyond line {line}: {error}"),
            ),
        }
    }
}

/// Reads rows and passes them on, so many at a time, out of at most so many bytes.
pub(super) fn read(
    upload: impl Read + Send,
    format: ExportFormat,
    progress: &Progress,
    (batch, inflated_max): (usize, u64),
    send: &mpsc::Sender<Vec<Row>>,
) -> Result<(), Unfinished> {
    let mut rows = Vec::with_capacity(batch);
    let mut take = |row: Row| {
        rows.push(row);
        if rows.len() < batch {
            return Ok(());
        }
        send.blocking_send(std::mem::take(&mut rows)).map_err(|_| Over::Unwanted)
    };
    let content = content(upload, progress, inflated_max)
        .map_err(|error| Over::Read(1, error).unfinished(inflated_max))?;
    let outcome = match format {
        ExportFormat::Ndjson => ndjson::read(content, &mut take),
        ExportFormat::Csv => csv::read(content, &mut take),
    };
    // What came before the fault is kept: the rows are judged one by one.
    if !rows.is_empty() && send.blocking_send(rows).is_err() {
        return Err(Unfinished::Stopped);
    }
    outcome.map_err(|over| over.unfinished(inflated_max))
}

/// The content of an upload: inflated if need be, within its bound, and without a byte order mark.
fn content<'r>(
    upload: impl Read + Send + 'r,
    progress: &'r Progress,
    inflated_max: u64,
) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut raw = BufReader::with_capacity(BUFFER, Counted { upload, progress });
    let is_compressed = raw.fill_buf()?.starts_with(&GZIP);
    let inflated: Box<dyn Read + 'r> =
        if is_compressed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
    let mut content = BufReader::with_capacity(BUFFER, Bounded { content: inflated, left: inflated_max });
    if content.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        content.consume(BYTE_ORDER_MARK.len());
    }
    Ok(Box::new(content))
}

struct Counted<'p, R> {
    upload: R,
    progress: &'p Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.upload.read(buffer)?;
        self.progress.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Ends with an error, and not silently, where its bound is.
struct Bounded<R> {
    content: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    fn rows_of(upload: impl Read + Send, format: ExportFormat) -> (Vec<Row>, Result<(), String>) {
        let (send, mut batches) = mpsc::channel(100_000);
        let outcome = read(upload, format, &Progress::default(), (2, 1 << 20), &send);
        drop(send);
        let mut rows = Vec::new();
        while let Some(batch) = batches.blocking_recv() {
            rows.extend(batch);
        }
        let outcome = outcome.map_err(|unfinished| match unfinished {
            Unfinished::Failed { code, message } | Unfinished::Transient { code, message } => {
                format!("{code}: {message}")
            }
            Unfinished::Stopped => "stopped".to_owned(),
        });
        (rows, outcome)
    }

    fn lines_of(rows: &[Row]) -> Vec<(u64, bool)> {
        rows.iter().map(|row| (row.line, row.content.is_ok())).collect()
    }

    const ONE: &str = r#"{"id":"p1","kind":"wallet","display_name":"One"}"#;

    #[test]
    fn good_rows_are_kept_and_others_reported_with_their_line() {
        let text = format!("\u{feff}{ONE}\r\n\n{{\"id\":\"p2\"}}\n{ONE}\nnonsense\n{ONE}");
        for upload in [text.clone().into_bytes(), gzip(text.as_bytes())] {
            let (rows, outcome) = rows_of(&*upload, ExportFormat::Ndjson);
            assert_eq!(outcome, Ok(()));
            assert_eq!(lines_of(&rows), [(1, true), (3, false), (4, true), (5, false), (6, true)]);
            let message = rows[1].content.as_ref().expect_err("members are missing");
            assert!(message.contains("missing field `kind`"), "{message}");
        }
    }

    #[test]
    fn a_row_of_cells_has_the_line_that_it_begins_on_whatever_ends_lines() {
        for end in ["\n", "\r\n"] {
            let rows =
                ["id,kind,display_name", "p1,wallet,\"One\"", "p2,wallet,\"a\nb\"", "p3,wallet,One", ""];
            let (rows, outcome) = rows_of(rows.join(end).as_bytes(), ExportFormat::Csv);
            assert_eq!(
                (lines_of(&rows), outcome),
                (vec![(2, true), (3, false), (5, true)], Ok(())),
                "{end:?}"
            );
        }
    }

    #[test]
    fn a_row_without_end_fails_with_its_line_and_bound() {
        let endless = ONE.as_bytes().chain(&b"\n"[..]).chain(io::repeat(b'x'));
        let (rows, outcome) = rows_of(endless, ExportFormat::Ndjson);
        assert_eq!(lines_of(&rows), [(1, true)]);
        assert_eq!(outcome, Err("row_too_long: the row on line 2 has more than 65536 bytes".to_owned()));
        let header = "id,kind,display_name\n\"";
        let (_, outcome) = rows_of(header.as_bytes().chain(io::repeat(b'\n')), ExportFormat::Csv);
        assert_eq!(outcome, Err("row_too_long: the row on line 2 has more than 65536 bytes".to_owned()));
    }

    #[test]
    fn what_inflates_beyond_its_bound_fails_with_the_bound_and_the_line() {
        let bomb = gzip(format!("{}\n", " ".repeat(1023)).repeat(1025).as_bytes());
        assert!(bomb.len() < 32 << 10);
        let (rows, outcome) = rows_of(&*bomb, ExportFormat::Ndjson);
        let error = outcome.expect_err("too much");
        assert!(rows.is_empty() && error.starts_with("upload_too_large: "), "{error}");
        assert!(error.contains("more than 1048576 bytes") && error.contains("line 1025"), "{error}");
    }

    #[test]
    fn what_is_no_gzip_after_all_is_refused() {
        let mut broken = gzip(ONE.repeat(50).as_bytes());
        broken.truncate(30);
        let (_, outcome) = rows_of(&*broken, ExportFormat::Ndjson);
        assert!(outcome.expect_err("cut off").starts_with("invalid_upload"));
    }
}
