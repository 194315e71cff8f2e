//! Output: each figure on a line, with the figure to compare it with.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use crate::measure::Figure;

/// Prints the title and the names of the columns.
pub(crate) fn heading(title: &str) {
    println!("\n{title}\n");
    println!(
        "{:<28} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9} {:>7}  beside it",
        "", "a second", "p50 ms", "p99 ms", "server µs", "db µs", "client µs", "MB"
    );
}

/// Prints a figure, with a text to compare it with.
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
