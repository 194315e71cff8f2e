//! The table: each figure on a line, beside what a user would otherwise have.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use crate::measure::Figure;

/// Prints what the columns are.
pub(crate) fn heading(title: &str) {
    println!("\n{title}\n");
    println!(
        "{:<28} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9} {:>7}  beside it",
        "", "a second", "p50 ms", "p99 ms", "server µs", "db µs", "client µs", "MB"
    );
}

/// Prints a figure, and something to hold it against.
pub(crate) fn line(title: &str, figure: &Figure, beside: &str) {
    println!(
        "{title:<28} {:>9.0} {:>8.2} {:>8.2} {:>9.1} {:>9.1} {:>9.1} {:>7.0}  {beside}",
        figure.rate,
        figure.p50_ms,
        figure.p99_ms,
        figure.server_us,
        figure.database_us,
        figure.client_us,
        figure.memory_bytes as f64 / 1e6,
    );
}

/// Prints a remark.
pub(crate) fn remark(text: &str) {
    println!("{text}");
}
