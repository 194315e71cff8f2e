//! Tests of the limits of tables: rows beyond them are rejected, and earlier ones are repaired by
//! the migration.

use diesel::connection::SimpleConnection as _;
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::user::UserQueries as _;

use crate::databases::{Database, Kind};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Version of the migration that adds the limits.
const LIMITS: &str = "20261129000017";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// A connection to either database.
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    fn new(database: &Database, kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::establish(&database.url()).unwrap();
                connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                Self::Sqlite(connection)
            }
            Kind::Postgres => Self::Postgres(PgConnection::establish(&database.url()).unwrap()),
        }
    }

    fn execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(sql),
            Self::Postgres(connection) => connection.batch_execute(sql),
        }
    }

    fn lines(&mut self, query: &str) -> Vec<String> {
        let lines: Vec<Line> = match self {
            Self::Sqlite(connection) => sql_query(query).load(connection),
            Self::Postgres(connection) => sql_query(query).load(connection),
        }
        .unwrap();
        lines.into_iter().map(|row| row.line).collect()
    }

    /// Reverts the migrations to the one before the limits.
    fn undo_limits(&mut self) {
        loop {
            let undone = match self {
                Self::Sqlite(connection) => {
                    connection.revert_last_migration(SQLITE).unwrap().to_string()
                }
                Self::Postgres(connection) => {
                    connection.revert_last_migration(POSTGRES).unwrap().to_string()
                }
            };
            if undone == LIMITS {
                return;
            }
        }
    }
}

/// Returns the id with this number, as a literal.
fn id(kind: Kind, number: u32) -> String {
    match kind {
        Kind::Sqlite => format!("x'{number:032x}'"),
        Kind::Postgres => format!("'{:08x}-0000-0000-0000-{number:012x}'", 0),
    }
}

fn user(kind: Kind, number: u32, email: &str, name: &str, created_at_us: i64) -> String {
    let id = id(kind, number);
    format!(
        "INSERT INTO users (id, email, name, role, status, password_hash, created_at_us)
        VALUES ({id}, '{email}', '{name}', 'USER', 'active', '', {created_at_us});"
    )
}

#[tokio::test]
async fn rows_beyond_the_limits_are_repaired() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let store = database.open().await;
        let mut connection = Connection::new(&database, kind);
        connection.undo_limits();
        let emails = [
            "ada@example.org",
            "first.last+tag@mail.example.co.uk",
            "a@b@c.org",
            "mailto:a@x.org",
            "a@x..org",
            ".a@x.org",
            "a@-",
            "a@localhost",
            "Ada@example.org",
            "ada@b\u{fc}cher.example",
            &format!("{}@x.org", "i\u{307}".repeat(120)),
            &format!("{}@x.org", "a".repeat(65)),
        ];
        for (number, email) in (1..).zip(emails) {
            connection.execute(&user(kind, number, email, "A user", 5)).unwrap();
        }
        connection.execute(&user(kind, 50, "b@x.org", &"n".repeat(60), i64::MAX)).unwrap();
        connection.execute(&user(kind, 51, "c@x.org", "", i64::MIN)).unwrap();
        let (market, creator) = (id(kind, 60), id(kind, 1));
        connection
            .execute(&format!(
                "INSERT INTO markets (id, creator_id, creator_account_id, name, description, category, ends_at_us,
                    subsidy_minor, fee_bps, created_at_us)
                VALUES ({market}, {creator}, {creator}, 'Will it?', 'At some time.', 'weather',
                    253402304399000000, 1000, 0, 5);
                INSERT INTO market_states (market_id, phase, fees_minor, volume_minor, stakes_minor, bet_count,
                    version, updated_at_us)
                VALUES ({market}, 'open', 0, 0, 0, 0, 1, 5);
                INSERT INTO market_options (market_id, option_index, id, name, initial_probability,
                    outstanding_units)
                VALUES ({market}, 0, {}, 'Yes', 0.5, 0), ({market}, 1, {}, 'No', 0.5, 0);",
                id(kind, 61),
                id(kind, 62),
            ))
            .unwrap();
        assert!(
            store.migrate().await.unwrap().applied.contains(&"2026-11-29-000017_limits".to_owned())
        );

        let page = PageRequest { start: PageStart::Offset(0), limit: 100 };
        let users = store.list_users(page).await.unwrap();
        assert_eq!(users.len(), emails.len() + 2, "{kind:?}");
        let kept =
            users.iter().filter(|user| !user.email.as_str().ends_with("@unusable.invalid")).count();
        assert_eq!(kept, 4, "{kind:?}: {users:#?}");
        for user in &users {
            assert_eq!(Email::new(user.email.as_str()).as_ref(), Ok(&user.email), "{kind:?}");
            assert!((1..=50).contains(&user.name.as_str().chars().count()), "{kind:?}");
        }
        let created: Vec<_> = users.iter().map(|user| user.created_at).collect();
        assert!(created.contains(&Timestamp::MAX) && created.contains(&Timestamp::MIN), "{kind:?}");
        let ends = connection.lines("SELECT CAST(ends_at_us AS TEXT) AS line FROM markets");
        assert_eq!(ends, [Timestamp::MAX.micros().to_string()], "{kind:?}");
        assert_eq!(
            connection.lines("SELECT name AS line FROM market_options ORDER BY option_index"),
            ["Yes", "No"]
        );
    }
}

#[tokio::test]
async fn rows_beyond_the_limits_are_rejected() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind);
        let _store = database.open().await;
        let mut connection = Connection::new(&database, kind);
        let cases = [
            ("", "A user", 5),
            ("a@b@c.org", "A user", 5),
            ("a@localhost", "A user", 5),
            ("A@x.org", "A user", 5),
            ("a@b\u{fc}cher.example", "A user", 5),
            (&format!("a@{}org", "d.".repeat(126)), "A user", 5),
            ("a@x.org", "", 5),
            ("a@x.org", &"n".repeat(51), 5),
            ("a@x.org", "A user", Timestamp::MAX.micros() + 1),
            ("a@x.org", "A user", Timestamp::MIN.micros() - 1),
        ];
        for (email, name, created_at_us) in cases {
            let refused = connection.execute(&user(kind, 1, email, name, created_at_us));
            let refused = refused.expect_err(email).to_string();
            assert!(refused.contains("users_") || refused.contains("CHECK"), "{kind:?}: {refused}");
        }
        connection
            .execute(&user(kind, 1, "a@x.org", &"\u{1F680}".repeat(50), Timestamp::MAX.micros()))
            .unwrap();
        connection
            .execute(&user(
                kind,
                2,
                &format!("{}@x-y.org", "a".repeat(64)),
                "B",
                Timestamp::MIN.micros(),
            ))
            .unwrap();
    }
}
