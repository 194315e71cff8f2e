//! Contract tests of the in-memory store, directly and behind fault injection.

use std::sync::Arc;

use async_trait::async_trait;
use foretell_ports::unit::UnitOfWork;
use foretell_testkit::contract::{Adapters, Harness};
use foretell_testkit::{FaultyStore, MemoryStore, contract_suite};

struct Memory;

#[async_trait]
impl Harness for Memory {
    async fn open(&self) -> Adapters {
        let store = MemoryStore::new();
        adapters(&store, Arc::new(store.clone()))
    }
}

struct Faulty;

#[async_trait]
impl Harness for Faulty {
    async fn open(&self) -> Adapters {
        let store = MemoryStore::new();
        adapters(&store, Arc::new(FaultyStore::new(Arc::new(store.clone()))))
    }
}

fn adapters(store: &MemoryStore, uow: Arc<dyn UnitOfWork>) -> Adapters {
    let store = Arc::new(store.clone());
    Adapters {
        uow,
        ledger: store.clone(),
        markets: store.clone(),
        users: store.clone(),
        posts: store.clone(),
        webhooks: store.clone(),
        jobs: store.clone(),
        search: store.clone(),
        vectors: store.clone(),
        outcomes: store.clone(),
        health: store,
        guard: Box::new(()),
    }
}

mod memory {
    use super::*;

    contract_suite!(Memory);
}

mod memory_behind_faults {
    use super::*;

    contract_suite!(Faulty);
}
