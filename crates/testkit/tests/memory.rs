//! The storage contract, held up to the store in memory.

use std::sync::Arc;

use async_trait::async_trait;
use foretell_testkit::MemoryStore;
use foretell_testkit::contract::{Adapters, Harness};
use foretell_testkit::contract_suite;

struct Memory;

#[async_trait]
impl Harness for Memory {
    async fn open(&self) -> Adapters {
        let store = Arc::new(MemoryStore::new());
        Adapters {
            uow: store.clone(),
            ledger: store.clone(),
            markets: store.clone(),
            users: store.clone(),
            outcomes: store.clone(),
            health: store,
            guard: Box::new(()),
        }
    }
}

contract_suite!(Memory);
