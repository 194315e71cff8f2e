//! Tests of databases whose encoding cannot store every text.

use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use foretell_domain::id::UserId;
use foretell_domain::text::{Email, UserName};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{Role, User, UserStatus};
use foretell_persistence::ConnectError;
use foretell_ports::secret::PasswordHash;
use foretell_ports::unit::{Tx, UnitOfWork};
use foretell_ports::user::UserQueries as _;

use crate::databases::{Database, Kind};

/// Runs SQL on a database; a file is created if it does not exist.
fn execute(database: &Database, sql: &str) {
    let url = database.url();
    let done = match database {
        Database::Sqlite(_) => SqliteConnection::establish(&url).unwrap().batch_execute(sql),
        Database::Postgres { .. } => PgConnection::establish(&url).unwrap().batch_execute(sql),
    };
    done.unwrap();
}

async fn check_refused(database: &Database, expected: &str) {
    let error = database.try_connect().await.expect_err("the encoding is refused");
    let ConnectError::Encoding { found, .. } = &error else { panic!("{error}") };
    assert_eq!(found, expected);
    assert!(error.to_string().contains("UTF"), "{error}");
}

#[tokio::test]
async fn postgres_with_another_encoding_is_rejected() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        check_refused(&Database::on_postgres(encoding), encoding).await;
    }
}

#[tokio::test]
async fn sqlite_with_another_encoding_is_rejected() {
    let database = Database::new(Kind::Sqlite);
    execute(&database, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE first (id INTEGER)");
    check_refused(&database, "UTF-16le").await;
}

#[tokio::test]
async fn client_encoding_is_ignored() {
    let database = Database::new(Kind::Postgres);
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    execute(&database, &format!("ALTER DATABASE {name} SET client_encoding = 'LATIN1'"));
    let store = database.open().await;
    let user = User {
        id: UserId::from_u128(7),
        email: Email::new("a@example.org").unwrap(),
        name: UserName::new("東京").unwrap(),
        avatar: None,
        role: Role::User,
        status: UserStatus::Active,
        version: 1,
        created_at: Timestamp::from_micros(0),
        updated_at: Timestamp::from_micros(0),
    };
    let inserted = Arc::new(user.clone());
    let hash = PasswordHash("hash".to_owned());
    let insert = move |tx: &mut dyn Tx| tx.insert_user_once(&inserted, &hash);
    let units: &dyn UnitOfWork = &store;
    assert!(units.run("insert_user", insert).await.unwrap());
    assert_eq!(store.find_user(user.id).await.unwrap(), Some(user));
}
