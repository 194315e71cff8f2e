//! The command line: subcommands and their arguments.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A self-hosted prediction market: accounts, markets, bets and payouts behind a REST API.
#[derive(Debug, Parser)]
#[command(name = "foretell", version)]
pub(crate) struct Cli {
    /// A TOML file with settings; what it leaves out keeps its default.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the API and runs jobs; this is what happens without a subcommand.
    Serve(ServeArguments),
    /// Runs jobs and serves nothing.
    Worker,
    /// Looks after jobs.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Looks over everything that the server depends on, and says what to do about what is wrong.
    Doctor {
        /// Print the findings as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes, checks and restores backups of the `SQLite` file.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Writes out markets, bets, transfers, or what there is of a user.
    Export(ExportArguments),
    /// Looks after searching.
    #[command(subcommand)]
    Search(SearchCommand),
    /// Brings the database's tables up to date and says what was done.
    Migrate,
    /// Manages admins.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Audit the ledger.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Checks and prints the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Asks the server of these settings whether it is ready, as container engines do; fails unless it is.
    Healthcheck,
    /// Prints the document that describes the API to programs, as `OpenAPI` 3.1.
    Openapi,
    /// Fills an empty database with users, markets in every state, and bets.
    Demo,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeArguments {
    /// Run no jobs: other processes do.
    #[arg(long)]
    pub(crate) no_worker: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// What is written out.
    pub(crate) what: Exported,
    /// The id of the user, for what there is of one.
    pub(crate) user: Option<String>,
    /// One JSON object a line, or comma-separated values; what there is of a user is always JSON.
    #[arg(long, default_value = "jsonl")]
    pub(crate) format: ExportFormat,
    /// The file to write, which must not be there yet; the standard output if none is named.
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
    /// Prints jobs, newest first.
    List(ListJobs),
    /// Tries a job at once that waits or was given up.
    Retry(NamedJob),
    /// Deletes a job that no worker is at; what it was to do is not done.
    Discard(NamedJob),
}

#[derive(Debug, Args)]
pub(crate) struct ListJobs {
    /// Only in this state: waiting, running, done or dead.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only of this kind, such as `welcome_mail`.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// How many at most, 1 to 100.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct NamedJob {
    /// The id of the job.
    pub(crate) id: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Registers a user with the role ADMIN.
    Create(NewAdmin),
}

#[derive(Debug, Args)]
pub(crate) struct NewAdmin {
    /// The mail address to sign in with.
    #[arg(long)]
    pub(crate) email: String,
    /// The name that others see.
    #[arg(long)]
    pub(crate) name: String,
    /// Read the password from the first line of standard input; it never stands on the command line.
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Makes a backup, while the server runs or not, and proves that it is good.
    Create {
        /// The file to make; otherwise one with the time in its name, in the folder `backups` of the data.
        #[arg(long, value_name = "PATH")]
        to: Option<PathBuf>,
    },
    /// Proves that a backup is good: whole, restorable, and with a sound ledger.
    Verify {
        /// The backup.
        file: PathBuf,
    },
    /// Puts a backup in the place of the database while no server runs; what was there is kept.
    Restore {
        /// The backup.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Works out anew what all texts mean; servers that run take it over by themselves.
    Reindex,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Checks accounts, transfers, markets, bets, positions and payouts against each other, and lists the
    /// first rows that differ; fails unless all of them agree.
    Audit {
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says everything that is wrong with the settings; fails unless they are valid.
    Check,
    /// Prints all settings with their values and where those are from; secrets are hidden.
    Dump,
    /// Prints what settings there are, as Markdown.
    Reference,
}

/// Says a line to whoever runs the program. Whoever no longer listens, as `head` does, misses it.
pub(crate) fn say(line: impl std::fmt::Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Says why the program failed, with its causes.
#[expect(clippy::print_stderr, reason = "logs may not be set up yet")]
pub(crate) fn report(error: &anyhow::Error) {
    eprintln!("foretell: {error:#}");
}
