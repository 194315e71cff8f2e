//! Backups of `SQLite` files: created while others read and write, checked, and restored.
//!
//! A file copied during writes is useless; `VACUUM INTO` writes a consistent snapshot. Postgres has
//! its own tools.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use thiserror::Error;

/// Reason why a backup failed, is not valid, or was not restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A file with this name exists already.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot read or write {file}")]
    File {
        /// Path of the file.
        file: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// `SQLite` cannot read or write a file.
    #[error("SQLite cannot read or write {file}")]
    Database {
        /// Path of the file.
        file: PathBuf,
        /// Cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file is damaged, as `SQLite` says.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// Path of the file.
        file: PathBuf,
        /// Message of `SQLite`.
        what: String,
    },
    /// A process has the database open.
    #[error("{0} is in use: stop the server first")]
    InUse(PathBuf),
}

/// Writes a snapshot of the database to a new file, which is durable when this returns.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::File`], [`BackupError::Database`].
pub fn create(database: &Path, target: &Path) -> Result<(), BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    // Written under another name first: after a crash there is no partial file with the name of a
    // backup.
    let partial = beside(target, ".partial");
    remove(&partial)?;
    let mut connection = open(database)?;
    let into = path_text(&partial)?;
    let written = sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut connection);
    written
        .map_err(|source| BackupError::Database { file: partial.clone(), source: source.into() })?;
    put_in_place(&partial, target)
}

/// Reads every page of a file and checks its integrity.
///
/// # Errors
/// [`BackupError::Damaged`], [`BackupError::File`] if it does not exist, [`BackupError::Database`].
pub fn check(file: &Path) -> Result<(), BackupError> {
    // Opened first: SQLite would create a missing file.
    File::open(file).map_err(|source| BackupError::File { file: file.to_owned(), source })?;
    let mut connection = open(file)?;
    let failed = |source: diesel::result::Error| BackupError::Database {
        file: file.to_owned(),
        source: source.into(),
    };
    let found: Vec<Finding> =
        sql_query("PRAGMA integrity_check(5)").load(&mut connection).map_err(failed)?;
    let found: Vec<_> = found.into_iter().map(|finding| finding.text).collect();
    if found == ["ok"] {
        Ok(())
    } else {
        Err(BackupError::Damaged { file: file.to_owned(), what: found.join("; ") })
    }
}

/// Replaces a database that no process has open by a copy of a backup; the previous file, if any,
/// is moved to the returned path.
///
/// # Errors
/// [`BackupError::InUse`], [`BackupError::Exists`] if a file exists at `aside`,
/// [`BackupError::File`], [`BackupError::Database`]. The data is unchanged then, but the previous
/// file may be at `aside`.
pub fn restore(file: &Path, database: &Path, aside: &Path) -> Result<Option<PathBuf>, BackupError> {
    if aside.exists() {
        return Err(BackupError::Exists(aside.to_owned()));
    }
    // Copied into the same folder, so that only a rename is left to do at the end.
    let copy = beside(database, ".restoring");
    self::copy(file, &copy)?;
    let kept = if database.exists() {
        let alone = alone_with(database)?;
        // While the exclusive connection exists, so that no server can open the database in
        // between.
        rename(database, aside)?;
        drop(alone);
        // Their content was written to the file that was moved.
        remove_logs(database)?;
        Some(aside.to_owned())
    } else {
        None
    };
    put_in_place(&copy, database)?;
    Ok(kept)
}

/// Copies a file to a new one, in place of a database that no process has open. The umask
/// determines the mode: `fs::copy` would copy the mode, and a backup may be readable for everyone.
///
/// # Errors
/// [`BackupError::File`].
pub fn copy(file: &Path, target: &Path) -> Result<(), BackupError> {
    remove_database(target)?;
    let mut from =
        File::open(file).map_err(|source| BackupError::File { file: file.to_owned(), source })?;
    let into = File::create_new(target).and_then(|mut into| io::copy(&mut from, &mut into));
    into.map(drop).map_err(|source| BackupError::File { file: target.to_owned(), source })
}

/// Opens a connection that excludes all others from a database; all committed data is in the file
/// itself.
fn alone_with(database: &Path) -> Result<SqliteConnection, BackupError> {
    let mut connection = open(database)?;
    let alone = connection.batch_execute(
        // The exclusive lock fails if any process has the file open. Without WAL the file alone
        // contains all data.
        "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA locking_mode = EXCLUSIVE;
        BEGIN EXCLUSIVE; COMMIT; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT;",
    );
    alone.map_err(|_| BackupError::InUse(database.to_owned()))?;
    Ok(connection)
}

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = integrity_check)]
    text: String,
}

fn open(file: &Path) -> Result<SqliteConnection, BackupError> {
    let failed = |source| BackupError::Database { file: file.to_owned(), source };
    let mut connection =
        SqliteConnection::establish(&path_text(file)?).map_err(|error| failed(error.into()))?;
    connection
        .batch_execute("PRAGMA busy_timeout = 10000")
        .map_err(|error| failed(error.into()))?;
    Ok(connection)
}

fn path_text(path: &Path) -> Result<String, BackupError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| BackupError::Database {
        file: path.to_owned(),
        source: "its path is not UTF-8".into(),
    })
}

/// Removes a database that no process has open, with the files beside it, if they exist.
///
/// # Errors
/// [`BackupError::File`].
pub fn remove_database(file: &Path) -> Result<(), BackupError> {
    remove(file)?;
    remove_logs(file)
}

/// Returns the path with a suffix.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes the files that `SQLite` keeps beside a database while it is open.
fn remove_logs(database: &Path) -> Result<(), BackupError> {
    ["-wal", "-shm"].into_iter().try_for_each(|ending| remove(&beside(database, ending)))
}

fn remove(file: &Path) -> Result<(), BackupError> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(BackupError::File { file: file.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::rename(from, to).map_err(|source| BackupError::File { file: to.to_owned(), source })
}

/// Renames a finished file to its final name, durably.
fn put_in_place(finished: &Path, target: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::File { file: target.to_owned(), source };
    File::open(finished).and_then(|file| file.sync_all()).map_err(failed)?;
    rename(finished, target)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A rename is durable only after its directory was flushed.
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}
