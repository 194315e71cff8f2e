//! `foretell backup`: creates backups of the `SQLite` file while the server runs, verifies them,
//! and restores them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use foretell_persistence::{DatabaseConfig, DatabaseUrl, Store, backup};
use foretell_ports::ledger::{AuditReport, LedgerQueries as _};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::cli::{BackupCommand, say};
use crate::config::Settings;
use crate::folders;

pub(crate) async fn run(settings: &Settings, command: BackupCommand) -> anyhow::Result<ExitCode> {
    match command {
        BackupCommand::Create { to } => {
            let database = database_file(settings)?;
            let file =
                to.unwrap_or_else(|| settings.backups.join(format!("foretell-{}.db", now_text())));
            make(database, &file).await?;
            tell_good(&file).await?;
        }
        BackupCommand::Verify { file } => tell_good(&file).await?,
        BackupCommand::Restore { file } => restore(settings, file).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the contents of a backup after verifying it.
async fn tell_good(file: &Path) -> anyhow::Result<()> {
    let report = verify(file).await?;
    say(format_args!("{} is a good backup: {}", file.display(), summary(&report)));
    Ok(())
}

/// Creates a backup of a database before its migration, and verifies on a copy that the migration
/// succeeds.
pub(crate) async fn before_migration(settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let DatabaseUrl::Sqlite(database) = &settings.database.url else { return Ok(()) };
    let status = store.migration_status().await?;
    if status.applied.is_empty() || status.pending.is_empty() || !status.unknown.is_empty() {
        return Ok(());
    }
    let file = settings.backups.join(format!("before-migration-{}.db", now_text()));
    make(database, &file).await?;
    let report = verify(&file)
        .await
        .context("the migration fails on a copy of the database; nothing was changed")?;
    let (backup, found) = (file.display(), summary(&report));
    tracing::info!(
        %backup, pending = status.pending.len(),
        "made a backup before the migration: {found}"
    );
    Ok(())
}

async fn restore(settings: &Settings, file: PathBuf) -> anyhow::Result<()> {
    let database = database_file(settings)?.to_owned();
    verify(&file).await.context("nothing was restored")?;
    folders::create(database.parent())?;
    let aside = backup::beside(&database, &format!(".before-restore-{}", now_text()));
    let (from, to) = (file.clone(), database.clone());
    let kept = in_background(move || backup::restore(&from, &to, &aside)).await?;
    let report = audit(&database).await?;
    say(format_args!("{} is restored: {}", file.display(), summary(&report)));
    if let Some(kept) = kept {
        say(format_args!("what was there before is at {}", kept.display()));
    }
    Ok(())
}

async fn make(database: &Path, file: &Path) -> anyhow::Result<()> {
    ensure!(database.exists(), "there is no database at {} yet", database.display());
    folders::create(file.parent())?;
    let (from, to) = (database.to_owned(), file.to_owned());
    in_background(move || backup::create(&from, &to)).await
}

/// Checks a backup page by page, migrates a restored copy of it, and audits its ledger.
async fn verify(file: &Path) -> anyhow::Result<AuditReport> {
    let checked = file.to_owned();
    in_background(move || backup::check(&checked)).await?;
    let copy = backup::beside(file, &format!(".verifying-{}", std::process::id()));
    backup::copy(file, &copy)?;
    let report = audit(&copy).await;
    // The result of the audit counts, not the removal of the copy.
    drop(backup::remove_database(&copy));
    report
}

/// Migrates a database and audits its ledger.
async fn audit(database: &Path) -> anyhow::Result<AuditReport> {
    let store =
        Store::connect(&DatabaseConfig::new(DatabaseUrl::Sqlite(database.to_owned()))).await?;
    store.migrate().await?;
    let report = store.audit().await?;
    ensure!(report.is_sound(), "the ledger of {} is not sound: {report:?}", database.display());
    Ok(report)
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, backup::BackupError> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn database_file(settings: &Settings) -> anyhow::Result<&Path> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(file) => Ok(file),
        DatabaseUrl::Postgres(_) => {
            bail!("the database is on Postgres: use its own backup tools, see docs/backup.md")
        }
    }
}

fn summary(report: &AuditReport) -> String {
    format!(
        "{} accounts, {} transfers, {} markets, {} bets and sales, and the ledger is sound",
        report.accounts, report.transfers, report.markets, report.bets
    )
}

/// Returns the time as part of a file name.
fn now_text() -> String {
    let format =
        format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc().format(format).unwrap_or_default()
}
