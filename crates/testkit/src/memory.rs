//! In-memory store: every port of storage, for tests of the layers above the ports.
//!
//! Units run one at a time, each under a lock that it holds from begin to end. Its changes are kept
//! beside the committed rows until it ends, so queries never see half a unit and never wait for
//! one, and rolling back costs nothing, however much is stored.
//!
//! The store rejects everything that a database would: existing keys, references to absent rows,
//! and rows saved without a lock. Where databases differ it is the strictest of them: after a
//! rejection the unit can do nothing more, and it is not committed.

mod api_keys;
mod audit;
mod grants;
mod invitations;
mod jobs;
mod known_networks;
mod ledger_queries;
mod ledger_tx;
mod market_queries;
mod market_tx;
mod outcomes;
mod posts;
mod quotas;
mod searches;
mod secrets;
mod table;
mod tables;
mod tx;
mod users;
mod vectors;
mod webhooks;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use foretell_ports::page::{NumberedPage, PageRequest, PageStart};
use foretell_ports::unit::{Ending, ErasedWork, UnitFuture, UnitOfWork};

use table::{EndOfUnit as _, rejected};
use tables::Tables;
use tx::MemoryTx;

/// In-memory store, empty at first; all clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Held by the running unit from begin to end.
    unit: Mutex<()>,
    /// Held for single steps only.
    tables: RwLock<Tables>,
    is_down: AtomicBool,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails every call from now on with [`StoreError::Unavailable`]; running units still end.
    pub fn take_down(&self) {
        self.0.is_down.store(true, Ordering::SeqCst);
    }

    /// Ends the outage of [`take_down`](Self::take_down); all stored data is still there.
    pub fn bring_up(&self) {
        self.0.is_down.store(false, Ordering::SeqCst);
    }

    fn check_up(&self) -> Result<(), StoreError> {
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the store was taken down by a test".into()));
        }
        Ok(())
    }

    /// Returns the committed rows, one snapshot while the guard exists.
    fn read(&self) -> Result<RwLockReadGuard<'_, Tables>, StoreError> {
        self.check_up()?;
        Ok(self.0.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn run_to_end(&self, work: ErasedWork) -> Result<(), StoreError> {
        let _alone = self.0.unit.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_up()?;
        let result = attempt(&self.0.tables, work);
        let mut tables = self.0.tables.write().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(Ending::Commit) => tables.commit(),
            Ok(Ending::RollBack) | Err(_) => tables.roll_back(),
        }
        result.map(drop)
    }
}

fn attempt(tables: &RwLock<Tables>, mut work: ErasedWork) -> Result<Ending, StoreError> {
    let mut tx = MemoryTx::begin(tables);
    match catch_unwind(AssertUnwindSafe(|| work(&mut tx))) {
        Ok(result) => result.and_then(|ending| tx.check_sound().map(|()| ending)),
        Err(panic) => Err(rejected(format!("the unit panicked: {}", message_of(panic.as_ref())))),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

impl UnitOfWork for MemoryStore {
    fn run_erased<'a>(&'a self, _name: &'static str, work: ErasedWork) -> UnitFuture<'a> {
        let store = self.clone();
        Box::pin(async move {
            // A blocking task outlives the future that waits for it.
            let unit = tokio::task::spawn_blocking(move || store.run_to_end(work));
            unit.await.unwrap_or_else(|error| Err(StoreError::CommitUnknown(error.into())))
        })
    }
}

#[async_trait]
impl Health for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.check_up()
    }

    async fn missing_migrations(&self) -> Result<usize, StoreError> {
        self.check_up().map(|()| 0)
    }
}

/// Returns a page of rows that are all in memory.
fn page_of<T>(rows: Vec<T>, page: NumberedPage) -> foretell_ports::page::Page<T> {
    let total = count(rows.len());
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let rows = rows.into_iter().skip(skipped).take(page.limit() as usize).collect();
    foretell_ports::page::Page { rows, total }
}

/// Returns a page of sorted rows; `is_after` tells if a row comes after a key.
fn cut_page<T, K: Copy>(
    rows: Vec<T>,
    page: PageRequest<K>,
    is_after: impl Fn(&T, K) -> bool,
) -> Vec<T> {
    let skipped = match page.start {
        PageStart::First => 0,
        PageStart::Offset(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
        PageStart::After(key) => rows.iter().take_while(|row| !is_after(row, key)).count(),
    };
    rows.into_iter().skip(skipped).take(page.limit as usize).collect()
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).expect("memory holds fewer rows")
}

#[cfg(test)]
mod tests;
