//! Contract tests of the storage ports on both databases.

use std::sync::Arc;

use async_trait::async_trait;
use foretell_testkit::contract::{Adapters, Harness};

use crate::databases::{Database, Kind};

struct Databases(Kind);

#[async_trait]
impl Harness for Databases {
    async fn open(&self) -> Adapters {
        let database = Database::new(self.0);
        let store = database.open().await;
        Adapters {
            uow: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            markets: Arc::new(store.clone()),
            users: Arc::new(store.clone()),
            posts: Arc::new(store.clone()),
            webhooks: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            search: Arc::new(store.clone()),
            vectors: Arc::new(store.clone()),
            outcomes: Arc::new(store.clone()),
            health: Arc::new(store),
            guard: Box::new(database),
        }
    }
}

mod sqlite {
    use super::*;

    foretell_testkit::contract_suite!(Databases(Kind::Sqlite));
}

mod postgres {
    use super::*;

    foretell_testkit::contract_suite!(Databases(Kind::Postgres));
}
