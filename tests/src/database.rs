//! Databases of one test, each in a home that is removed with everything in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection};
use tempfile::TempDir;

use crate::program::{eventually, variable};

/// Kind of database that the server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A separate database on the test server.
    Postgres,
}

/// Storage of a server: a folder, and on Postgres a database.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    postgres: Option<PostgresDatabase>,
}

impl Home {
    /// Creates an empty home.
    pub fn new(database: Database) -> Self {
        match database {
            Database::Sqlite => Self::with(None),
            Database::Postgres => Self::on_server(&variable("FORETELL_TEST_POSTGRES_URL")),
        }
    }

    /// Creates an empty home with a database on the Postgres at this superuser's URL.
    pub fn on_server(url: &str) -> Self {
        Self::with(Some(PostgresDatabase::create(url)))
    }

    fn with(postgres: Option<PostgresDatabase>) -> Self {
        Self { folder: TempDir::with_prefix("foretell-test.").unwrap(), postgres }
    }

    /// Returns the folder, which is the working directory of programs in this home.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the data folder; the server creates it.
    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Returns the database file, if it is SQLite.
    pub fn sqlite_file(&self) -> PathBuf {
        self.data_dir().join("foretell.db")
    }

    /// Returns the URL of the database, if it is on Postgres.
    pub fn database_url(&self) -> Option<&str> {
        self.postgres.as_ref().map(|database| database.url.as_str())
    }

    /// Returns the process id of the database server, if there is one.
    pub fn postgres_process_id(&self) -> Option<u32> {
        let mut connection = PgConnection::establish(self.database_url()?).unwrap();
        let id = sql::<Integer>(r"split_part(pg_read_file('postmaster.pid'), E'\n', 1)::integer");
        let id: i32 = diesel::select(id).get_result(&mut connection).unwrap();
        Some(id.unsigned_abs())
    }

    fn sqlite(&self) -> SqliteConnection {
        let mut connection =
            SqliteConnection::establish(self.sqlite_file().to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
        connection
    }

    /// Runs SQL on the database directly.
    pub fn execute(&self, sql: &str) {
        if let Some(url) = self.database_url() {
            PgConnection::establish(url).unwrap().batch_execute(sql).unwrap();
        } else {
            self.sqlite().batch_execute(sql).unwrap();
        }
    }

    /// Drops the triggers of the SQLite file that reject invalid rows, so that a test can create
    /// them.
    pub fn drop_refusing_triggers(&self) {
        let mut connection = self.sqlite();
        let refusing =
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE%'";
        let triggers: Vec<Name> = diesel::sql_query(refusing).load(&mut connection).unwrap();
        for Name { name } in triggers {
            connection.batch_execute(&format!("DROP TRIGGER {name}")).unwrap();
        }
    }

    /// Returns the result of a query for one number named `count`.
    pub fn count(&self, query: &str) -> i64 {
        let query = diesel::sql_query(query);
        let counted: Count = match self.database_url() {
            Some(url) => query.get_result(&mut PgConnection::establish(url).unwrap()).unwrap(),
            None => query.get_result(&mut self.sqlite()).unwrap(),
        };
        counted.count
    }

    /// Blocks writes to accounts until it is dropped; reads continue.
    pub fn hold_writers(&self) -> Hold {
        let mut hold = match self.database_url() {
            Some(url) => Hold::Postgres(PgConnection::establish(url).unwrap()),
            None => Hold::Sqlite(self.sqlite()),
        };
        match &mut hold {
            Hold::Sqlite(c) => c.batch_execute("BEGIN IMMEDIATE").unwrap(),
            Hold::Postgres(c) => {
                c.batch_execute("BEGIN; LOCK TABLE accounts IN EXCLUSIVE MODE").unwrap();
            }
        }
        hold
    }

    /// Blocks reads and writes of users, accounts and markets until it is dropped.
    pub fn hold_all(&self) -> PgConnection {
        let url = self.database_url().expect("readers of a file wait for nobody");
        let mut hold = PgConnection::establish(url).unwrap();
        hold.batch_execute(
            "BEGIN; LOCK TABLE users, sessions, accounts, markets IN ACCESS EXCLUSIVE MODE",
        )
        .unwrap();
        hold
    }

    /// Returns the open connections to the database; none for a file.
    pub fn connections(&self) -> Connections {
        let processes = self.database_url().map_or_else(Vec::new, |url| {
            let query = "SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let mut connection = PgConnection::establish(url).unwrap();
            diesel::sql_query(query).load::<Process>(&mut connection).unwrap()
        });
        Connections(processes.into_iter().map(|process| process.pid).collect())
    }

    /// Waits until all of these are closed: Postgres finishes a statement before it notices that
    /// its client is gone.
    pub async fn wait_until_closed(&self, connections: &Connections) {
        let are_closed = async || connections.0.is_disjoint(&self.connections().0).then_some(());
        eventually("connections to the database to be closed", are_closed).await;
    }
}

/// An open transaction that blocks writes.
pub enum Hold {
    /// On a file.
    Sqlite(SqliteConnection),
    /// On a server.
    Postgres(PgConnection),
}

/// Processes of Postgres that serve connections to a database.
#[derive(Debug)]
pub struct Connections(BTreeSet<i32>);

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// A database on a server, removed when dropped.
#[derive(Debug)]
struct PostgresDatabase {
    server_url: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    fn create(server_url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("foretell_server_{}_{count}", std::process::id());
        let (server, rest) =
            server_url.rsplit_once('/').expect("the server's URL names a database");
        let options = rest.find('?').map_or("", |begin| &rest[begin..]);
        let url = format!("{server}/{name}{options}");
        let database = Self { server_url: server_url.to_owned(), name, url };
        database.on_server(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name));
        database.on_server(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn on_server(&self, sql: &str) {
        PgConnection::establish(&self.server_url).unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A second panic while a test fails would abort the process and hide the first.
        let dropped = PgConnection::establish(&self.server_url)
            .map_err(|error| error.to_string())
            .and_then(|mut server| server.batch_execute(&drop).map_err(|error| error.to_string()));
        if let Err(error) = dropped {
            assert!(
                std::thread::panicking(),
                "the database {} cannot be dropped: {error}",
                self.name
            );
        }
    }
}
