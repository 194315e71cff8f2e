//! Sharing of one load by all who want the same value at the same time.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// Result that all callers of a load share.
type Shared<V, E> = Result<V, Arc<E>>;

#[derive(Debug)]
struct Flight<V, E> {
    result: Arc<OnceCell<Shared<V, E>>>,
    callers: usize,
}

/// Running loads by key.
#[derive(Debug)]
pub struct SingleFlight<K: Hash + Eq, V, E>(Mutex<HashMap<K, Flight<V, E>>>);

impl<K: Hash + Eq + Clone, V: Clone, E> SingleFlight<K, V, E> {
    /// Creates one without running loads.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Returns the result of `load`, or of the load that already runs for this key. If the caller
    /// that loads is cancelled or panics, one of the others runs its own load.
    ///
    /// # Errors
    /// The error of the load, for all who waited for it. It is not kept: the next caller loads
    /// again.
    pub async fn run(&self, key: K, load: impl Future<Output = Result<V, E>>) -> Shared<V, E> {
        let seat = self.join(key);
        seat.result.get_or_init(|| async { load.await.map_err(Arc::new) }).await.clone()
    }

    fn join(&self, key: K) -> Seat<'_, K, V, E> {
        let mut flights = self.lock();
        let new = || Flight { result: Arc::default(), callers: 0 };
        let flight = flights.entry(key.clone()).or_insert_with(new);
        flight.callers += 1;
        Seat { result: Arc::clone(&flight.result), flights: self, key }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<V, E>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn running(&self) -> usize {
        self.lock().len()
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E> Default for SingleFlight<K, V, E> {
    fn default() -> Self {
        Self::new()
    }
}

/// One caller's part in a load; dropped when the caller has the result or is cancelled.
struct Seat<'a, K: Hash + Eq + Clone, V: Clone, E> {
    flights: &'a SingleFlight<K, V, E>,
    key: K,
    result: Arc<OnceCell<Shared<V, E>>>,
}

impl<K: Hash + Eq + Clone, V: Clone, E> Drop for Seat<'_, K, V, E> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // The first to get the result removed the flight; there may be a later one of this key.
        let own =
            flights.get_mut(&self.key).filter(|flight| Arc::ptr_eq(&flight.result, &self.result));
        let Some(flight) = own else { return };
        flight.callers -= 1;
        if flight.callers == 0 || self.result.initialized() {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::yield_now;

    use super::*;

    type Flights = SingleFlight<&'static str, usize, &'static str>;

    #[tokio::test]
    async fn concurrent_callers_share_one_load() {
        let (flights, loads) = (Flights::new(), AtomicUsize::new(0));
        let load = || async {
            yield_now().await;
            Ok(loads.fetch_add(1, Ordering::Relaxed))
        };
        let both = tokio::join!(flights.run("a", load()), flights.run("a", load()));
        assert_eq!(both, (Ok(0), Ok(0)));
        assert_eq!(flights.run("a", load()).await, Ok(1));
        assert_eq!(flights.running(), 0);
    }

    #[tokio::test]
    async fn failure_is_shared_but_not_kept() {
        let flights = Flights::new();
        let fail = async {
            yield_now().await;
            Err("gone")
        };
        let both = tokio::join!(flights.run("a", fail), flights.run("a", async { Ok(1) }));
        assert_eq!(both, (Err(Arc::new("gone")), Err(Arc::new("gone"))));
        assert_eq!(flights.run("a", async { Ok(2) }).await, Ok(2));
    }

    #[tokio::test]
    async fn other_caller_loads_after_cancellation() {
        let flights = Arc::new(Flights::new());
        let spawn =
            |flights: Arc<Flights>| tokio::spawn(async move { flights.run("a", pending()).await });
        let first = spawn(Arc::clone(&flights));
        yield_now().await;
        let second = flights.run("a", async { Ok(2) });
        let cancel = async {
            yield_now().await;
            first.abort();
        };
        assert_eq!(tokio::join!(second, cancel).0, Ok(2));
        let alone = spawn(Arc::clone(&flights));
        yield_now().await;
        alone.abort();
        assert!(alone.await.is_err());
        assert_eq!(flights.running(), 0);
    }
}
