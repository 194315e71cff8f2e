//! Tests of the migrations: one schema in two dialects, up, down and up again, and never under a
//! newer program's.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use foretell_persistence::MigrateError;
use foretell_ports::search::TextSearch as _;

use crate::databases::{Database, Kind};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Every column with its type and nullability; primary keys are never null. The search indexes
/// differ between the databases.
const SQLITE_COLUMNS: &str =
    "SELECT tables.name || '.' || columns.name || ' ' || lower(columns.type)
    || CASE WHEN columns.\"notnull\" OR columns.pk THEN '' ELSE ' or null' END AS line
    FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE '\\_\\_%' ESCAPE '\\'
    AND tables.name NOT GLOB 'market_[twp]*' AND tables.name NOT GLOB 'post_texts*'
    AND tables.name NOT GLOB 'post_words*' AND tables.name NOT GLOB 'post_trigrams*'";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' '
    || CASE data_type WHEN 'uuid' THEN 'blob' WHEN 'bytea' THEN 'blob' WHEN 'bigint' THEN 'integer'
        WHEN 'double precision' THEN 'real' ELSE data_type END
    || CASE is_nullable WHEN 'NO' THEN '' ELSE ' or null' END AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'
    AND table_name NOT IN ('market_texts', 'post_texts')";

/// All objects that the migrations create.
const SQLITE_SCHEMA: &str =
    "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM sqlite_schema
    WHERE name NOT LIKE '%\\_\\_diesel%' ESCAPE '\\'";
const POSTGRES_SCHEMA: &str = "SELECT indexdef AS line FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ': ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        AND conrelid::regclass::text NOT LIKE '\\_\\_%'
    UNION ALL SELECT relname || ' ' || coalesce(array_to_string(reloptions, ' '), '') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE '\\_\\_%'";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

pub(crate) fn sqlite(database: &Database) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&database.url()).unwrap();
    // A store that was dropped may still be closing its connections.
    connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    connection
}

pub(crate) fn postgres(database: &Database) -> PgConnection {
    PgConnection::establish(&database.url()).unwrap()
}

fn sqlite_lines(connection: &mut SqliteConnection, query: &str) -> BTreeSet<String> {
    sql_query(query).load::<Line>(connection).unwrap().into_iter().map(|row| row.line).collect()
}

fn postgres_lines(connection: &mut PgConnection, queries: &[&str]) -> BTreeSet<String> {
    let lines =
        queries.iter().flat_map(|query| sql_query(*query).load::<Line>(connection).unwrap());
    lines.map(|row| row.line).collect()
}

#[tokio::test]
async fn dialects_have_equal_tables_and_columns() {
    let (file, server) = (Database::new(Kind::Sqlite), Database::new(Kind::Postgres));
    file.open().await;
    server.open().await;
    let of_file = sqlite_lines(&mut sqlite(&file), SQLITE_COLUMNS);
    let of_server = postgres_lines(&mut postgres(&server), &[POSTGRES_COLUMNS]);
    assert_eq!(of_file, of_server);
    assert!(of_file.contains("transfers.debit_balance_minor integer"), "{of_file:#?}");
    assert!(of_file.contains("accounts.owner_id blob or null"), "{of_file:#?}");
}

fn down<DB: Backend>(connection: &mut impl MigrationHarness<DB>, source: EmbeddedMigrations)
where
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    connection.revert_all_migrations(source).unwrap();
}

/// Returns the number of migrations, which is the same for both databases.
fn migration_count() -> usize {
    let count = |dialect: &str| {
        let folder = format!("{}/../../migrations/{dialect}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_dir(folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count()
    };
    assert_eq!(count("sqlite"), count("postgres"));
    count("sqlite")
}

#[tokio::test]
async fn migrations_run_down_and_up_again_on_sqlite() {
    let database = Database::new(Kind::Sqlite);
    let store = database.open().await;
    let mut connection = sqlite(&database);
    let before = sqlite_lines(&mut connection, SQLITE_SCHEMA);
    down(&mut connection, SQLITE);
    assert_eq!(sqlite_lines(&mut connection, SQLITE_SCHEMA), BTreeSet::new(), "nothing is left");
    assert_eq!(store.migrate().await.unwrap().applied.len(), migration_count());
    assert_eq!(sqlite_lines(&mut connection, SQLITE_SCHEMA), before);
}

#[tokio::test]
async fn rebuilt_search_index_has_migrated_schema() {
    let database = Database::new(Kind::Sqlite);
    let store = database.open().await;
    let mut connection = sqlite(&database);
    let migrated = sqlite_lines(&mut connection, SQLITE_SCHEMA);
    // Whatever is missing, all tables of the index are made anew.
    connection.batch_execute("DROP TABLE market_texts").unwrap();
    assert_ne!(sqlite_lines(&mut connection, SQLITE_SCHEMA), migrated);
    store.index_texts().await.unwrap();
    assert_eq!(sqlite_lines(&mut connection, SQLITE_SCHEMA), migrated);
}

#[tokio::test]
async fn migrations_run_down_and_up_again_on_postgres() {
    let database = Database::new(Kind::Postgres);
    let store = database.open().await;
    let mut connection = postgres(&database);
    let queries = [POSTGRES_COLUMNS, POSTGRES_SCHEMA];
    let before = postgres_lines(&mut connection, &queries);
    down(&mut connection, POSTGRES);
    assert_eq!(postgres_lines(&mut connection, &queries), BTreeSet::new(), "nothing is left");
    assert_eq!(store.migrate().await.unwrap().applied.len(), migration_count());
    assert_eq!(postgres_lines(&mut connection, &queries), before);
}

#[tokio::test]
async fn status_lists_applied_and_pending_migrations() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let store = database.connect().await;
        let before = store.migration_status().await.unwrap();
        assert_eq!(before.applied, Vec::<String>::new(), "{kind:?}");
        assert_eq!(
            before.pending.first().map(String::as_str),
            Some("2026-11-22-000001_users"),
            "{kind:?}"
        );
        assert_eq!(store.migrate().await.unwrap().applied, before.pending, "{kind:?}");
        assert_eq!(store.migrate().await.unwrap().applied, Vec::<String>::new(), "{kind:?}");
        let after = store.migration_status().await.unwrap();
        assert_eq!((after.applied, after.pending), (before.pending, before.applied), "{kind:?}");
        assert_eq!(after.unknown, Vec::<String>::new(), "{kind:?}");
    }
}

#[tokio::test]
async fn database_of_newer_program_is_rejected() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let store = database.open().await;
        let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')";
        match kind {
            Kind::Sqlite => sqlite(&database).batch_execute(insert).unwrap(),
            Kind::Postgres => postgres(&database).batch_execute(insert).unwrap(),
        }
        let refused = store.migrate().await.unwrap_err();
        assert!(
            matches!(&refused, MigrateError::Newer(version) if version == "20990101000000"),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("20990101000000"), "{refused}");
        assert_eq!(store.migration_status().await.unwrap().unknown, ["20990101000000"], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_migrations_take_turns() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let store = database.connect().await;
        let programs: Vec<_> = (0..4)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.migrate().await })
            })
            .collect();
        let mut applied = Vec::new();
        for program in programs {
            applied.push(program.await.unwrap().unwrap().applied.len());
        }
        applied.sort_unstable();
        assert_eq!(applied, [0, 0, 0, migration_count()], "{kind:?}");
    }
}
