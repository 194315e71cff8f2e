//! Backups of `SQLite` files: made while others read and write, checked, and put in the place of a database.
//!
//! A file that is copied while it is written to is worth nothing; `VACUUM INTO` writes a whole one, as it was at one
//! moment. Postgres has tools of its own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use thiserror::Error;

/// Why a backup was not made, is no good, or was not restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is a file of this name already.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{file} cannot be read or written")]
    File {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `SQLite` cannot read or write a file.
    #[error("SQLite cannot read or write {file}")]
    Database {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file is damaged, as `SQLite` says.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A process has the database open.
    #[error("{0} is in use: stop the server first")]
    InUse(PathBuf),
}

/// Writes the database as it is at this moment into a new file, which is on the disk when this returns.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::File`], [`BackupError::Database`].
pub fn create(database: &Path, target: &Path) -> Result<(), BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let partial = beside(target, ".partial");
    remove(&partial)?;
    let mut connection = open(database)?;
    let into = path_text(&partial)?;
    let written = sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut connection);
    written.map_err(|source| BackupError::Database { file: partial.clone(), source: source.into() })?;
    put_in_place(&partial, target)
}

/// Reads every page of a file and checks that it is whole.
///
/// # Errors
/// [`BackupError::Damaged`], [`BackupError::File`] if there is none, [`BackupError::Database`].
pub fn check(file: &Path) -> Result<(), BackupError> {
    File::open(file).map_err(|source| BackupError::File { file: file.to_owned(), source })?;
    let mut connection = open(file)?;
    let failed = |source: diesel::result::Error| BackupError::Database {
        file: file.to_owned(),
        source: source.into(),
    };
    let found: Vec<Finding> = sql_query("PRAGMA integrity_check(5)").load(&mut connection).map_err(failed)?;
    let found: Vec<_> = found.into_iter().map(|finding| finding.text).collect();
    if found == ["ok"] {
        Ok(())
    } else {
        Err(BackupError::Damaged { file: file.to_owned(), what: found.join("; ") })
    }
}

/// Puts a copy of a backup in the place of a database that no process has open; what was there before is kept under
/// the path that is returned, if anything was.
///
/// # Errors
/// [`BackupError::InUse`], [`BackupError::Exists`] if something is at `aside`, [`BackupError::File`],
/// [`BackupError::Database`]. Nothing was changed then, but what was in the place may be at `aside`.
pub fn restore(file: &Path, database: &Path, aside: &Path) -> Result<Option<PathBuf>, BackupError> {
    if aside.exists() {
        return Err(BackupError::Exists(aside.to_owned()));
    }
    let copy = beside(database, ".restoring");
    self::copy(file, &copy)?;
    let kept = if database.exists() {
        let alone = alone_with(database)?;
        rename(database, aside)?;
        drop(alone);
        // What they held is in the file that was put aside.
        remove_logs(database)?;
        Some(aside.to_owned())
    } else {
        None
    };
    put_in_place(&copy, database)?;
    Ok(kept)
}

/// Copies a file into a new one, in the place of a database that nobody has open. The umask decides the mode: `fs::copy`
/// would copy it, and a backup may have come here readable for everyone.
///
/// # Errors
/// [`BackupError::File`].
pub fn copy(file: &Path, target: &Path) -> Result<(), BackupError> {
    remove_database(target)?;
    let mut from = File::open(file).map_err(|source| BackupError::File { file: file.to_owned(), source })?;
    let into = File::create_new(target).and_then(|mut into| io::copy(&mut from, &mut into));
    into.map(drop).map_err(|source| BackupError::File { file: target.to_owned(), source })
}

/// A connection that keeps everyone else from a database; all that was committed is in the file itself.
fn alone_with(database: &Path) -> Result<SqliteConnection, BackupError> {
    let mut connection = open(database)?;
    let alone = connection.batch_execute(
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
    connection.batch_execute("PRAGMA busy_timeout = 10000").map_err(|error| failed(error.into()))?;
    Ok(connection)
}

fn path_text(path: &Path) -> Result<String, BackupError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| BackupError::Database {
        file: path.to_owned(),
        source: "its path is not UTF-8".into(),
    })
}

/// Removes a database that no process has open, with all that belongs to it, as far as it is there.
///
/// # Errors
/// [`BackupError::File`].
pub fn remove_database(file: &Path) -> Result<(), BackupError> {
    remove(file)?;
    remove_logs(file)
}

/// The path with an ending after its own.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes what `SQLite` keeps beside a file while it is open.
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

/// Gives a finished file its name; afterwards both are on the disk.
fn put_in_place(finished: &Path, target: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::File { file: target.to_owned(), source };
    File::open(finished).and_then(|file| file.sync_all()).map_err(failed)?;
    rename(finished, target)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(failed)
}
