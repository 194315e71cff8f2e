//! The `foretell` binary: parses the command line and runs the subcommand.

mod admin;
mod audit;
mod backup;
mod cli;
mod config;
mod demo;
mod doctor;
mod export;
mod folders;
mod gauges;
mod healthcheck;
mod jobs;
mod search;
mod serve;
mod show_config;
mod signals;
mod wiring;
mod worker;

use std::pin::Pin;
use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use rustix::fs::Mode;
use rustix::process::umask;

use crate::cli::{AdminCommand, Cli, Command, LedgerCommand, SearchCommand, ServeArguments};
use crate::config::Settings;

/// Hashing a password takes 19 MiB, which the allocator of glibc keeps for each thread that has
/// done it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // The database with its logs, backups, exports and stored emails are readable by their owner
    // only.
    umask(Mode::RWXG | Mode::RWXO);
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            cli::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // These come before the settings: they need none, or are about them.
    match &cli.command {
        Some(Command::Openapi) => {
            cli::say(foretell_web::openapi_json().trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Config(command)) => return show_config::run(command, cli.config.as_deref()),
        _ => {}
    }
    let settings = Settings::load(std::env::vars_os(), cli.config.as_deref())?;
    let _telemetry = foretell_telemetry::init(&settings.telemetry, env!("CARGO_PKG_VERSION"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // On the heap and without its type: `block_on` would compile all subcommands three times.
    let run: Pin<Box<dyn Future<Output = _>>> = Box::pin(async {
        match cli.command.unwrap_or_else(|| Command::Serve(ServeArguments::default())) {
            Command::Serve(arguments) => serve::run(&settings, &arguments).await,
            Command::Worker => worker::run(&settings).await,
            Command::Jobs(command) => jobs::run(&settings, command).await,
            Command::Backup(command) => backup::run(&settings, command).await,
            Command::Export(arguments) => export::run(&settings, &arguments).await,
            Command::Search(SearchCommand::Reindex) => search::reindex(&settings).await,
            Command::Doctor { json } => doctor::run(&settings, json).await,
            Command::Healthcheck => healthcheck::run(&settings),
            Command::Migrate => wiring::migrate(&settings).await,
            Command::Admin(AdminCommand::Create(new)) => admin::create(&settings, new).await,
            Command::Ledger(LedgerCommand::Audit { json }) => audit::run(&settings, json).await,
            Command::Demo => demo::run(&settings).await,
            Command::Openapi | Command::Config(_) => Ok(ExitCode::SUCCESS),
        }
    });
    runtime.block_on(run)
}
