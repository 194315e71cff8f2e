//! The benchmarks of the real server; `just bench` builds what they need and runs them.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures the real server.
#[derive(Parser)]
#[command(name = "foretell-bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Subcommand)]
enum What {}

fn main() -> Result<()> {
    match Arguments::parse().what {}
}
