//! Tests that queries are cancelled when their callers are gone.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{RunQueryDsl as _, sql_query};
use foretell_ports::health::Health as _;
use tokio::sync::mpsc::unbounded_channel;

use super::databases::{Database, Kind};
use crate::connection::Connection;
use crate::store::Store;
use crate::{DatabaseConfig, DatabaseUrl};

/// Runs until it is cancelled.
const ENDLESS_ON_SQLITE: &str = "WITH RECURSIVE numbers (number) AS (
    SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE foretell_go_on()
) SELECT count(*) FROM numbers";
const ENDLESS_ON_POSTGRES: &str = "SELECT pg_sleep(3600)";

fn run_endless(connection: &mut Connection<'_>) -> diesel::QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sql_query(ENDLESS_ON_SQLITE).execute(*c),
        Connection::Postgres(c) => {
            c.batch_execute("SET statement_timeout = 0")?;
            sql_query(ENDLESS_ON_POSTGRES).execute(*c)
        }
    }
}

async fn store_with_one_reader(database: &Database) -> Store {
    let url: DatabaseUrl = database.url().parse().unwrap();
    let wait = Duration::from_mins(1);
    let config = DatabaseConfig { read_connections: 1, wait, ..DatabaseConfig::new(url) };
    let store = Store::connect(&config).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn check_cancellation(kind: Kind) {
    let database = Database::new(kind);
    let store = store_with_one_reader(&database).await;
    for _ in 0..3 {
        let (sender, mut begun) = unbounded_channel();
        let endless = store.read("endless", move |connection| {
            sender.send(()).unwrap();
            Ok(run_endless(connection)?)
        });
        tokio::select! {
            result = endless => panic!("it ends only when its caller is gone: {result:?}"),
            Some(()) = begun.recv() => {}
        }
        // The only connection and the only thread are free again.
        store.ping().await.unwrap();
    }
}

#[tokio::test]
async fn abandoned_query_is_cancelled_on_sqlite() {
    check_cancellation(Kind::Sqlite).await;
}

#[tokio::test]
async fn abandoned_query_is_cancelled_on_postgres() {
    check_cancellation(Kind::Postgres).await;
}

async fn check_readers_beside_search(kind: Kind) {
    let database = Database::new(kind);
    let store = store_with_one_reader(&database).await;
    let (sender, mut begun) = unbounded_channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let ended = std::sync::Mutex::new(ended);
    let first = store.search("first", move |_| {
        sender.send("first").unwrap();
        ended.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let mut first = Box::pin(first);
    tokio::select! {
        _ = &mut first => panic!("it waits"),
        Some(_) = begun.recv() => {}
    }
    // Other queries have connections of their own.
    store.ping().await.unwrap();
    end.send(()).unwrap();
    first.await.unwrap();
}

#[tokio::test]
async fn searches_leave_readers_free_on_sqlite() {
    check_readers_beside_search(Kind::Sqlite).await;
}

#[tokio::test]
async fn searches_leave_readers_free_on_postgres() {
    check_readers_beside_search(Kind::Postgres).await;
}
