//! Command line: subcommands and their arguments.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A self-hosted prediction market: accounts, markets, bets and payouts behind a REST API.
#[derive(Debug, Parser)]
#[command(name = "foretell", version)]
pub(crate) struct Cli {
    /// TOML file with settings; other settings keep their defaults.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and run jobs (the default without a subcommand).
    Serve(ServeArguments),
    /// Run jobs without serving the API.
    Worker,
    /// Manage background jobs.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Check all dependencies of the server, and suggest fixes.
    Doctor {
        /// Print the findings as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Create, verify and restore backups of the SQLite file.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Export markets, bets, transfers, or all data of a user.
    Export(ExportArguments),
    /// Manage the search indexes.
    #[command(subcommand)]
    Search(SearchCommand),
    /// Migrate the database to the current schema.
    Migrate,
    /// Manage admins.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Audit the ledger.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Check and print the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check that the running server is ready, for container engines; fails if it is not.
    Healthcheck,
    /// Print the OpenAPI 3.1 description of the API.
    Openapi,
    /// Fill an empty database with demo users, markets in every state, and bets.
    Demo,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeArguments {
    /// Do not run jobs: other processes do.
    #[arg(long)]
    pub(crate) no_worker: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Data to export.
    pub(crate) what: Exported,
    /// Id of the user, for an export of a user's data.
    pub(crate) user: Option<String>,
    /// One JSON object per line, or comma-separated values; a user's data is always JSON.
    #[arg(long, default_value = "jsonl")]
    pub(crate) format: ExportFormat,
    /// File to create, which must not exist yet; the default is standard output.
    #[arg(long)]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    Markets,
    Bets,
    Transfers,
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Print jobs, newest first.
    List(ListJobs),
    /// Retry a waiting or dead job immediately.
    Retry(NamedJob),
    /// Delete a job that no worker is running, without doing its task.
    Discard(NamedJob),
}

#[derive(Debug, Args)]
pub(crate) struct ListJobs {
    /// Only jobs in this state: waiting, running, done or dead.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only jobs of this kind, as printed in the list.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Maximum number of jobs, 1 to 100.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct NamedJob {
    /// Id of the job.
    pub(crate) id: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Register a user with the role ADMIN.
    Create(NewAdmin),
}

#[derive(Debug, Args)]
pub(crate) struct NewAdmin {
    /// Email address for signing in.
    #[arg(long)]
    pub(crate) email: String,
    /// Public name.
    #[arg(long)]
    pub(crate) name: String,
    /// Read the password from the first line of standard input; it is never an argument.
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Create a backup, while the server runs or not, and verify it.
    Create {
        /// File to create; the default has the time in its name, in the folder backups of the data.
        #[arg(long, value_name = "PATH")]
        to: Option<PathBuf>,
    },
    /// Verify a backup: complete, restorable, and with a sound ledger.
    Verify {
        /// Backup to verify.
        file: PathBuf,
    },
    /// Replace the database by a backup while no server runs; the previous file is kept.
    Restore {
        /// Backup to restore.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Recompute the embeddings of all texts; running servers use them without a restart.
    Reindex,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Check accounts, transfers, markets, bets, positions and payouts against each other, and list
    /// the first differences; fails if there are any.
    Audit {
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print everything that is wrong with the settings; fails if anything is.
    Check,
    /// Print all settings with their values and origins; secrets are hidden.
    Dump,
    /// Print a reference of all settings, as Markdown.
    Reference,
}

/// Prints a line to standard output. It ignores a closed pipe, such as that of `head`.
pub(crate) fn say(line: impl std::fmt::Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Prints an error with its causes.
#[expect(clippy::print_stderr, reason = "logs may not be set up yet")]
pub(crate) fn report(error: &anyhow::Error) {
    eprintln!("foretell: {error:#}");
}
