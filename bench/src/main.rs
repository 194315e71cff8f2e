//! The benchmarks of the real server; `just bench` builds what they need and runs them.
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

/// Measures the real server.
#[derive(Parser)]
#[command(name = "foretell-bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Subcommand)]
enum What {
    /// The table: all figures on each database, beside what a user would otherwise have
    Table(Options),
    /// The same figures in a young and in an old database, and how they compare
    Growth(Options),
    /// A market with a hundred thousand holders is resolved
    Settlement {
        /// On which databases
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
    },
    /// Searches: what is found of what was expected, and how long it takes with many markets
    Search {
        /// On which databases
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
        /// How many markets there are when time is taken
        #[arg(long, default_value_t = 100_000)]
        markets: u64,
    },
    /// Other requests while attackers send the most expensive requests there are
    Hostile {
        /// Which attack; all of them without one
        attack: Option<Attack>,
        /// On which databases
        #[arg(long, value_enum, default_value = "both")]
        databases: Databases,
        /// How many connections attack
        #[arg(long, default_value_t = 32)]
        connections: usize,
        /// How many posts of 50,000 characters there are
        #[arg(long, default_value_t = 200)]
        posts: usize,
        /// How long each kind of request is counted, in seconds
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Some scenarios, for a profiler
    Load(LoadOptions),
    /// Serves the bytes of a file: what the reads are held against
    #[command(hide = true)]
    Bare { file: PathBuf },
}

/// How it is measured.
#[derive(clap::Args)]
struct Options {
    /// Which databases
    #[arg(long, value_enum, default_value = "both")]
    databases: Databases,
    /// How long each figure is counted, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many requests are under way while money is moved
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
        What::Table(options) => figures::table(options.databases, options.pressure()),
        What::Growth(options) => figures::growth(options.databases, options.pressure()),
        What::Settlement { databases } => figures::settlement(databases),
        What::Search { databases, markets } => figures::search(databases, markets),
        What::Hostile { attack, databases, connections, posts, seconds } => {
            let plan = Plan { connections, posts, counted: Duration::from_secs(seconds) };
            figures::hostile(databases, attack, plan)
        }
        What::Load(options) => figures::load(&options),
        What::Bare { file } => peer::serve_bare(&file),
    }
}
