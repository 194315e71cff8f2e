//! Benchmarks of the real server; `just bench` builds its dependencies and runs them.
#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "figures for people, and a program for developers that fails like a test"
)]

mod figures;
mod hostile;
mod http;
mod load;
mod measure;
mod peer;
mod process;
mod report;
mod scenario;
mod search;
mod seed;
mod settlement;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::figures::{Databases, LoadOptions};
use crate::hostile::{Attack, Plan};
use crate::measure::Pressure;

/// Measures the real server
#[derive(Parser)]
#[command(name = "foretell-bench")]
struct Arguments {
    #[command(subcommand)]
    what: Benchmark,
}

/// Kind of measurement.
#[derive(Subcommand)]
enum Benchmark {
    /// Measure all figures on each database, and compare them with what a user would otherwise have
    Table(Options),
    /// Measure the same figures in a young and in an old database, and compare them
    Growth(Options),
    /// Resolve a market with a hundred thousand holders
    Settlement {
        /// Databases to measure
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
    },
    /// Search: measure which expected results are found, and the time with many markets
    Search {
        /// Databases to measure
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
        /// Number of markets when time is measured
        #[arg(long, default_value_t = 100_000)]
        markets: u64,
    },
    /// Measure other requests while attackers send the most expensive known requests
    Hostile {
        /// The attack; all of them by default
        attack: Option<Attack>,
        /// Databases to measure
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
        /// Number of attacking connections
        #[arg(long, default_value_t = 32)]
        connections: usize,
        /// Number of posts of 50,000 characters
        #[arg(long, default_value_t = 200)]
        posts: usize,
        /// Duration of the measurement of each kind of request, in seconds
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Run some scenarios, for a profiler
    Load(LoadOptions),
    /// Serve the bytes of a file, as a baseline for the reads
    #[command(hide = true)]
    Bare { file: PathBuf },
}

/// Options of a measurement.
#[derive(clap::Args)]
struct Options {
    /// Databases to measure
    #[arg(long, value_enum, default_value = "both")]
    databases: Databases,
    /// Duration of the measurement of each figure, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of concurrent requests while money is moved
    #[arg(long, default_value_t = 128)]
    connections: usize,
}

impl Options {
    const fn pressure(&self) -> Pressure {
        Pressure { connections: self.connections, counted: Duration::from_secs(self.seconds) }
    }
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        Benchmark::Table(options) => figures::table(options.databases, options.pressure()),
        Benchmark::Growth(options) => figures::growth(options.databases, options.pressure()),
        Benchmark::Settlement { databases } => figures::settlement(databases),
        Benchmark::Search { databases, markets } => figures::search(databases, markets),
        Benchmark::Hostile { attack, databases, connections, posts, seconds } => {
            let plan = Plan { connections, posts, counted: Duration::from_secs(seconds) };
            figures::hostile(databases, attack, plan)
        }
        Benchmark::Load(options) => figures::load(&options),
        Benchmark::Bare { file } => peer::serve_bare(&file),
    }
}
