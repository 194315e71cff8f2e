//! The state of the search index: whatever searches would miss is found.

use diesel::connection::SimpleConnection as _;
use foretell_persistence::Store;
use foretell_ports::search::TextSearch as _;

use crate::databases::{Database, Kind};
use crate::schema::{postgres, sqlite};

fn execute(database: &Database, kind: Kind, sql: &str) {
    match kind {
        Kind::Sqlite => sqlite(database).batch_execute(sql).unwrap(),
        Kind::Postgres => postgres(database).batch_execute(sql).unwrap(),
    }
}

async fn complete(store: &Store) {
    while store.index_texts().await.unwrap() > 0 {}
    let status = store.search_index_status().await.unwrap();
    assert!(status.is_current && status.broken_tables.is_empty(), "{status:?}");
    assert_eq!((status.missing_texts, status.missing_indexes.len()), (0, 0), "{status:?}");
}

/// Returns a database with one post, which is not indexed.
async fn open_with_post(kind: Kind) -> (Database, Store) {
    let database = Database::new(kind);
    let store = database.open().await;
    let id = match kind {
        Kind::Sqlite => format!("x'{:032x}'", 1),
        Kind::Postgres => "'00000000-0000-0000-0000-000000000001'".to_owned(),
    };
    let insert = format!(
        "INSERT INTO users (id, email, name, role, status, password_hash, created_at_us)
        VALUES ({id}, 'ada@example.org', 'Ada', 'USER', 'active', '', 5);
        INSERT INTO posts (id, author_id, title, content, status, created_at_us, updated_at_us,
        version)
        VALUES ({id}, {id}, 'Rain', 'It rains.', 'published', 5, 5, 1);"
    );
    execute(&database, kind, &insert);
    (database, store)
}

#[tokio::test]
async fn unindexed_texts_are_counted() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (database, store) = open_with_post(kind).await;
        let status = store.search_index_status().await.unwrap();
        assert_eq!((status.is_current, status.missing_texts), (false, 1), "{kind:?}");
        complete(&store).await;
        execute(&database, kind, "DELETE FROM post_texts");
        let status = store.search_index_status().await.unwrap();
        assert_eq!((status.is_current, status.missing_texts), (true, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn emptied_full_text_table_is_counted_on_sqlite() {
    for table in ["post_words", "post_trigrams"] {
        let (database, store) = open_with_post(Kind::Sqlite).await;
        complete(&store).await;
        execute(&database, Kind::Sqlite, &format!("DELETE FROM {table}"));
        assert_eq!(store.search_index_status().await.unwrap().missing_texts, 1, "{table}");
        store.clear_index().await.unwrap();
        complete(&store).await;
    }
}

#[tokio::test]
async fn lost_table_is_named_on_sqlite() {
    for table in [
        "market_texts",
        "market_words",
        "market_trigrams",
        "post_texts",
        "post_words",
        "post_trigrams",
    ] {
        let (database, store) = open_with_post(Kind::Sqlite).await;
        complete(&store).await;
        execute(&database, Kind::Sqlite, &format!("DROP TABLE {table}"));
        let status = store.search_index_status().await.unwrap();
        assert_eq!(status.broken_tables, [table]);
        complete(&store).await;
    }
}

#[tokio::test]
async fn lost_index_is_named_on_postgres() {
    for index in ["markets_by_words", "posts_by_words", "markets_by_parts", "posts_by_parts"] {
        let (database, store) = open_with_post(Kind::Postgres).await;
        complete(&store).await;
        execute(&database, Kind::Postgres, &format!("DROP INDEX IF EXISTS {index}"));
        for missing in store.search_index_status().await.unwrap().missing_indexes {
            assert_eq!(missing.name, index);
            execute(&database, Kind::Postgres, &missing.create);
        }
        complete(&store).await;
    }
}
