//! Tests of failures around a unit of work, and the errors that callers get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use foretell_domain::account::Account;
use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_persistence::{ConnectError, DatabaseConfig, Store};
use foretell_ports::error::StoreError;
use foretell_ports::health::Health as _;
use foretell_ports::ledger::LedgerQueries as _;
use foretell_ports::unit::{Tx, UnitOfWork};
use foretell_testkit::builders::Factory;
use foretell_testkit::clock::START;
use tokio::sync::Barrier;

use crate::databases::{Database, Kind};

/// Ends all other connections to the test's own database.
const END_CONNECTIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

fn run_on(url: &str, statements: &str) {
    PgConnection::establish(url).unwrap().batch_execute(statements).unwrap();
}

fn pot(number: u128) -> Account {
    Account::pot(MarketId::from_u128(number))
}

fn insert(tx: &mut dyn Tx, number: u128) -> Result<(), StoreError> {
    tx.insert_accounts_once(&[pot(number)], START).map(|_| ())
}

async fn is_stored(store: &Store, number: u128) -> bool {
    store.find_account(AccountId::from_u128(number)).await.unwrap().is_some()
}

async fn unit<F>(store: &Store, work: F) -> Result<(), StoreError>
where
    F: FnMut(&mut dyn Tx) -> Result<(), StoreError> + Send + 'static,
{
    let units: Arc<dyn UnitOfWork> = Arc::new(store.clone());
    units.run("test", work).await
}

#[tokio::test]
async fn lost_commit_response_is_unknown_and_store_recovers() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    let url = database.url();
    let result = unit(&store, move |tx| {
        insert(tx, 1)?;
        run_on(&url, END_CONNECTIONS);
        Ok(())
    });
    let error = result.await.unwrap_err();
    assert!(matches!(error, StoreError::CommitUnknown(_)), "{error:?}");
    unit(&store, |tx| insert(tx, 2)).await.expect("the next unit has a new connection");
    assert!(!is_stored(&store, 1).await, "here it was not kept");
    assert!(is_stored(&store, 2).await);
}

#[tokio::test]
async fn connection_lost_before_commit_is_unavailable() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    let url = database.url();
    let result = unit(&store, move |tx| {
        insert(tx, 1)?;
        run_on(&url, END_CONNECTIONS);
        insert(tx, 2)
    });
    let error = result.await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    unit(&store, |tx| insert(tx, 3)).await.expect("the next unit has a new connection");
}

#[tokio::test]
async fn lost_idle_connections_are_replaced_silently() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    // Several connections of each pool are open and idle.
    let all = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { tokio::join!(store.ping(), unit(&store, |tx| insert(tx, 1))) })
    });
    for task in all.collect::<Vec<_>>() {
        let (read, written) = task.await.unwrap();
        read.unwrap();
        written.unwrap();
    }
    run_on(&database.url(), END_CONNECTIONS);
    store.ping().await.expect("a query is asked again");
    run_on(&database.url(), END_CONNECTIONS);
    unit(&store, |tx| insert(tx, 2)).await.expect("a unit begins on another connection");
    assert!(is_stored(&store, 2).await);
}

#[tokio::test]
async fn commit_rejected_by_database_is_not_unknown() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    run_on(
        &database.url(),
        "ALTER TABLE accounts ADD FOREIGN KEY (id) REFERENCES markets (id) DEFERRABLE INITIALLY DEFERRED",
    );
    let error = unit(&store, |tx| insert(tx, 1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
    assert!(!is_stored(&store, 1).await);
}

#[tokio::test]
async fn commit_rejected_for_contention_runs_again() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    run_on(
        &database.url(),
        "CREATE SEQUENCE attempts;
        CREATE FUNCTION refuse_twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') <= 2 THEN
                RAISE EXCEPTION 'as the test wants it' USING ERRCODE = '40001';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER refuse_twice AFTER INSERT ON accounts DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse_twice();",
    );
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let result = unit(&store, move |tx| {
        counted.fetch_add(1, Ordering::Relaxed);
        insert(tx, 1)
    });
    result.await.expect("the third attempt is committed");
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert!(is_stored(&store, 1).await);
}

#[tokio::test]
async fn contention_is_reported_after_the_last_attempt() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let result = unit(&store, move |tx| {
        counted.fetch_add(1, Ordering::Relaxed);
        insert(tx, 1)?;
        Err(StoreError::Contention("as the test wants it".into()))
    });
    let error = result.await.unwrap_err();
    assert!(matches!(error, StoreError::Contention(_)), "{error:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 8);
    assert!(!is_stored(&store, 1).await);
}

#[tokio::test]
async fn unit_with_failed_statement_is_not_committed() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let store = database.open().await;
        let error = unit(&store, |tx| {
            insert(tx, 1)?;
            let session = Factory::new(1).session(UserId::from_u128(1));
            assert!(tx.insert_session(&session).is_err(), "there is no such user");
            Ok(())
        });
        let error = error.await.unwrap_err();
        assert!(matches!(error, StoreError::Rejected(_)), "{kind:?}: {error:?}");
        assert!(!is_stored(&store, 1).await, "{kind:?}");
    }
}

#[tokio::test]
async fn wait_for_connection_is_limited() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        database.open().await;
        let mut config = DatabaseConfig::new(database.url().parse().unwrap());
        (config.write_connections, config.wait) = (1, Duration::from_millis(50));
        let store = Store::connect(&config).await.unwrap();
        let (begun, ended) = (Arc::new(Barrier::new(2)), Arc::new(std::sync::Barrier::new(2)));
        let (has_begun, may_end) = (Arc::clone(&begun), Arc::clone(&ended));
        let (first, runtime) = (store.clone(), tokio::runtime::Handle::current());
        let first = tokio::spawn(async move {
            unit(&first, move |_| {
                let has_begun = Arc::clone(&has_begun);
                runtime.spawn(async move { has_begun.wait().await });
                may_end.wait();
                Ok(())
            })
            .await
        });
        begun.wait().await;
        let error = unit(&store, |tx| insert(tx, 1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{kind:?}: {error:?}");
        tokio::task::spawn_blocking(move || ended.wait()).await.unwrap();
        first.await.unwrap().unwrap();
        assert!(!is_stored(&store, 1).await, "{kind:?}");
    }
}

#[tokio::test]
async fn unit_waits_for_other_writer_of_file() {
    let database = Database::new(Kind::Sqlite);
    let store = database.open().await;
    let mut other = SqliteConnection::establish(&database.url()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let waiting =
        tokio::spawn(async move { unit(&store, |tx| insert(tx, 1)).await.map(|()| store) });
    // Longer than one attempt waits for the lock.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    other.batch_execute("COMMIT").unwrap();
    let store = waiting.await.unwrap().expect("a later attempt gets the lock");
    assert!(is_stored(&store, 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn unit_holds_write_lock_from_its_begin() {
    let database = Database::new(Kind::Sqlite);
    let (store, other) = (database.open().await, database.connect().await);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let (has_read, is_read) = std::sync::mpsc::channel();
    let unit_of_one = tokio::spawn(async move {
        let result = unit(&store, move |tx| {
            counted.fetch_add(1, Ordering::Relaxed);
            tx.lock_accounts(&[AccountId::from_u128(1)].into())?;
            has_read.send(()).unwrap();
            // Long enough for the other to write first, if it could.
            std::thread::sleep(Duration::from_millis(300));
            insert(tx, 1)
        });
        result.await
    });
    tokio::task::spawn_blocking(move || is_read.recv().unwrap()).await.unwrap();
    unit(&other, |tx| insert(tx, 2)).await.expect("the other waits for its turn");
    unit_of_one.await.unwrap().expect("it is committed");
    assert_eq!(runs.load(Ordering::Relaxed), 1, "what it read stayed true, so it ran once");
}

#[tokio::test]
async fn unresponsive_database_is_reported_at_connect() {
    let config = DatabaseConfig::new("postgres://nobody:secret@127.0.0.1:1/none".parse().unwrap());
    let error = Store::connect(&config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a new folder/and another/foretell.db");
    let config = DatabaseConfig::new(path.to_str().unwrap().parse().unwrap());
    Store::connect(&config).await.expect("the folders are made").ping().await.unwrap();
}
