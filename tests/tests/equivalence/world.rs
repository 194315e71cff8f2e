//! A world: one store with two nodes of the application, with controlled ids and clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::{Connection as _, PgConnection, RunQueryDsl as _, SqliteConnection};
use foretell::{DatabaseConfig, DatabaseUrl, Foretell, Storage, Store};
use foretell_application::writer::WriterSettings;
use foretell_application::{Application, ApplicationSettings};
use foretell_domain::money::Amount;
use foretell_domain::quota::Quotas;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::user::UserQueries;
use foretell_testkit::{FakeClock, MemoryStore};
use foretell_tests::{Database, Home};

use super::action::{Answer, Step};

/// Sign-up grant of a new user, in minor units.
const GRANT: i64 = 20_000;

/// Kind of a world's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Postgres];
}

/// The application on one store.
pub(super) struct World {
    pub(super) kind: Kind,
    /// Two processes on one store; a history in order uses the first only.
    pub(super) nodes: [Arc<Application>; 2],
    pub(super) ledger: Arc<dyn LedgerQueries>,
    pub(super) markets: Arc<dyn MarketQueries>,
    pub(super) users: Arc<dyn UserQueries>,
    behind: Behind,
    // Last, so that the database outlives all its users.
    _home: Option<Home>,
}

/// Direct access to the balances, without the ports.
enum Behind {
    Memory(MemoryStore),
    Sqlite(Box<Mutex<SqliteConnection>>),
    Postgres(Box<Mutex<PgConnection>>),
}

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    sum: i64,
}

impl World {
    /// Creates a world with an empty ledger; two worlds with one seed and one clock create the same
    /// ids.
    pub(super) async fn open(kind: Kind, seed: u64, clock: &FakeClock) -> Self {
        if kind == Kind::Memory {
            let memory = MemoryStore::new();
            let behind = Behind::Memory(memory.clone());
            return Self::start(kind, seed, clock, memory, behind, None).await;
        }
        let home =
            Home::new(if kind == Kind::Sqlite { Database::Sqlite } else { Database::Postgres });
        let file = home.path().join("books.db");
        let url = home.database_url().map_or_else(|| file.display().to_string(), str::to_owned);
        let parsed: DatabaseUrl = url.parse().unwrap();
        let mut config = DatabaseConfig::new(parsed);
        (config.read_connections, config.wait) = (2, Duration::from_secs(30));
        let store = Store::connect(&config).await.unwrap();
        store.migrate().await.unwrap();
        let behind = if kind == Kind::Sqlite {
            Behind::Sqlite(Box::new(Mutex::new(SqliteConnection::establish(&url).unwrap())))
        } else {
            Behind::Postgres(Box::new(Mutex::new(PgConnection::establish(&url).unwrap())))
        };
        Self::start(kind, seed, clock, store, behind, Some(home)).await
    }

    async fn start<S>(
        kind: Kind,
        seed: u64,
        clock: &FakeClock,
        store: S,
        behind: Behind,
        home: Option<Home>,
    ) -> Self
    where
        S: Storage + Clone + 'static,
    {
        let builder = Foretell::builder().storage(store.clone()).fakes(seed).clock(clock.clone());
        let builder = builder.settings(settings(kind, seed));
        let node = async || Arc::clone(builder.clone().build().await.unwrap().application());
        let nodes = [node().await, node().await];
        let ledger = Arc::new(store.clone());
        let markets = Arc::new(store.clone());
        let users = Arc::new(store);
        Self { kind, nodes, ledger, markets, users, behind, _home: home }
    }

    /// Performs a step on the first node.
    pub(super) async fn perform(&self, step: &Step) -> Answer {
        self.perform_on(0, step).await
    }

    /// Performs a step on one of the nodes, and again under the same key while the error is
    /// temporary, like a client.
    pub(super) async fn perform_on(&self, node: usize, step: &Step) -> Answer {
        for _ in 0..10 {
            if let Some(answer) = step.perform(&self.nodes[node]).await {
                return answer;
            }
        }
        panic!("{:?} is busy for ever: {step:?}", self.kind);
    }

    /// Returns the sum of all balances, which is zero.
    pub(super) async fn sum_of_balances(&self) -> i128 {
        let query = "SELECT CAST(sum(balance_minor) AS BIGINT) AS sum FROM accounts";
        match &self.behind {
            Behind::Memory(memory) => memory.audit().await.unwrap().sum_of_balances,
            Behind::Sqlite(connection) => {
                let mut connection = connection.lock().unwrap();
                diesel::sql_query(query).get_result::<Sum>(&mut *connection).unwrap().sum.into()
            }
            Behind::Postgres(connection) => {
                let mut connection = connection.lock().unwrap();
                diesel::sql_query(query).get_result::<Sum>(&mut *connection).unwrap().sum.into()
            }
        }
    }

    /// Returns `true` if no market has unpaid holders.
    pub(super) async fn is_settled(&self) -> bool {
        self.markets.list_unsettled(None, 1).await.unwrap().is_empty()
    }
}

/// Returns the same settings for every store, except the number of lanes, which must not matter.
fn settings(kind: Kind, seed: u64) -> ApplicationSettings {
    let lanes = if kind == Kind::Postgres { 3 } else { 1 };
    ApplicationSettings {
        signup_grant: Some(Amount::new(GRANT).unwrap()),
        quotas: Quotas::default(),
        fee_bps: [0, 100, 275][usize::try_from(seed % 3).unwrap()],
        categories: vec!["politics".to_owned(), "sports".to_owned()],
        session_lifetime: Duration::from_hours(1),
        writer: WriterSettings {
            lanes,
            max_wait: Duration::from_mins(5),
            ..WriterSettings::default()
        },
        ..ApplicationSettings::default()
    }
}
