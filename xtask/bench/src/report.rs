//! The table that the bench prints.

use std::io::Write;

/// One line: what was measured, against what, and how they compare.
pub struct Line {
    pub what: String,
    pub measured: String,
    pub compared: String,
    pub ratio: String,
    pub goal: &'static str,
}

/// Prints the table.
pub fn print(lines: &[Line]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n| measurement | Argus | compared with | ratio | goal |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for Line { what, measured, compared, ratio, goal } in lines {
        writeln!(out, "| {what} | {measured} | {compared} | {ratio} | {goal} |")?;
    }
    Ok(())
}

/// The middle value.
pub fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this part of them lies.
pub fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN)
}
