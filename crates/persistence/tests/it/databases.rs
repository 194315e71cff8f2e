//! A database for each test: a file in a temporary folder, or a database on the test server,
//! removed at the end.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use foretell_persistence::{ConnectError, DatabaseConfig, DatabaseUrl, Store};
use tempfile::TempDir;

/// Kind of database that a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// An empty database of one test, removed when it is dropped.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres { name: String },
}

impl Database {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(tempfile::tempdir().expect("a temporary folder")),
            Kind::Postgres => Self::on_postgres("UTF8"),
        }
    }

    /// Creates a database on the test server with this encoding.
    pub(crate) fn on_postgres(encoding: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("foretell_test_{}_{number}", std::process::id());
        let locale = "LC_COLLATE 'C' LC_CTYPE 'C'";
        let options = if encoding == "UTF8" { "" } else { locale };
        administer(&format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' {options} TEMPLATE template0"
        ));
        Self::Postgres { name }
    }

    /// Returns the URL or path as in a configuration.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("foretell.db").display().to_string(),
            Self::Postgres { name } => {
                let server = server();
                let (base, _) = server.rsplit_once('/').expect("the server's URL names a database");
                format!("{base}/{name}")
            }
        }
    }

    /// Opens a store over this database without migrating it.
    pub(crate) async fn connect(&self) -> Store {
        self.try_connect().await.expect("the database answers")
    }

    /// Opens a store, or returns the reason why it is rejected.
    pub(crate) async fn try_connect(&self) -> Result<Store, ConnectError> {
        let url: DatabaseUrl = self.url().parse().expect("a usable URL");
        Store::connect(&DatabaseConfig::new(url)).await
    }

    /// Opens a store over this database with the current schema.
    pub(crate) async fn open(&self) -> Store {
        let store = self.connect().await;
        store.migrate().await.expect("the schema is brought up to date");
        store
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name } = self {
            administer(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Returns the URL of the test server, with a database to connect to.
fn server() -> String {
    std::env::var("FORETELL_TEST_POSTGRES_URL").expect(
        "FORETELL_TEST_POSTGRES_URL names no Postgres for the tests; run them with \
         scripts/with-servers",
    )
}

fn administer(statement: &str) {
    let mut connection = PgConnection::establish(&server()).expect("the test server answers");
    connection.batch_execute(statement).expect("the test server obeys");
}
