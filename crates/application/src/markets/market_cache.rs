//! Cache of rendered markets, so that a busy market costs neither a query nor serialization.
//!
//! This process never returns a market older than a change that it has acknowledged: a change
//! raises the minimum version before its response. Changes by other processes are visible within
//! [`MarketCache::trust`], whatever happens to the cache: an older page is returned only after its
//! version was checked.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use foretell_domain::id::MarketId;
use foretell_domain::market::{MarketError, Phase};
use foretell_domain::time::Timestamp;
use foretell_expiring_map::SingleFlight;
use foretell_ports::cache::{Cache, CacheEntry, Cached, MinVersion};
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketQueries};
use metrics::{Counter, counter};

use crate::error::{AppError, clone_corrupt};
use crate::settings::ApplicationSettings;

/// Renders a market for a moment; `None` is a program error.
pub type Render = fn(&MarketDetails, Timestamp, &ApplicationSettings) -> Option<Vec<u8>>;

/// Rendered markets.
pub(crate) struct MarketCache {
    cache: Arc<dyn Cache>,
    markets: Arc<dyn MarketQueries>,
    trust: Duration,
    /// One query for each market and minimum version: a reader that needs a newer version than the
    /// running query may find starts another one.
    flights: SingleFlight<(MarketId, i64), Arc<[u8]>, AppError>,
    /// Counter of cache hits. Looking it up by its labels each time would cost more than counting.
    at_hand: OnceLock<Counter>,
}

impl MarketCache {
    pub(crate) fn new(
        cache: Arc<dyn Cache>,
        markets: Arc<dyn MarketQueries>,
        trust: Duration,
    ) -> Self {
        Self { cache, markets, trust, flights: SingleFlight::new(), at_hand: OnceLock::new() }
    }

    /// Returns the cached page of a market that is available without waiting.
    pub(crate) fn peek(&self, id: MarketId, now: Timestamp) -> Option<Arc<[u8]>> {
        let entry = self.cache.peek(&key(id))?;
        let page = self.is_good(&entry, now).then_some(entry.cached.bytes)?;
        let count = || counter!("foretell_market_pages_total", "source" => "memory");
        self.at_hand.get_or_init(count).increment(1);
        Some(page)
    }

    /// Returns the page of a market: cached, revalidated, or rendered by `finish`. The first reader
    /// runs the query, and the others wait for its result.
    pub(crate) async fn get(
        &self,
        id: MarketId,
        now: Timestamp,
        finish: impl Fn(&MarketDetails) -> Option<Vec<u8>>,
    ) -> Result<Arc<[u8]>, AppError> {
        counter!("foretell_market_pages_total", "source" => "shared_or_read").increment(1);
        let flight = (id, self.cache.min_version(&key(id)));
        let page = self.flights.run(flight, self.read(id, now, finish)).await;
        page.map_err(|error| own(id, error))
    }

    async fn read(
        &self,
        id: MarketId,
        now: Timestamp,
        finish: impl Fn(&MarketDetails) -> Option<Vec<u8>>,
    ) -> Result<Arc<[u8]>, AppError> {
        let key = key(id);
        let entry = self.cache.find(&key).await.filter(|entry| now < entry.cached.good_until);
        if let Some(entry) = entry {
            if self.is_good(&entry, now) {
                return Ok(entry.cached.bytes);
            }
            let (version, age) = timed(self.markets.find_market_version(id)).await?;
            if version == Some(entry.cached.version) {
                self.cache.put(&key, CacheEntry { age, ..entry.clone() }).await;
                return Ok(entry.cached.bytes);
            }
        }
        let (details, age) = timed(self.markets.find_market(id)).await?;
        let details = details.ok_or(MarketError::NotFound(id))?;
        let bytes = finish(&details).ok_or(AppError::Internal("a market cannot be written out"))?;
        let record = details.market.record();
        let is_open = details.market.phase_at(now) == Phase::Open;
        let good_until = if is_open { record.ends_at } else { Timestamp::from_micros(i64::MAX) };
        let cached = Cached { version: record.version, good_until, bytes: bytes.into() };
        let bytes = Arc::clone(&cached.bytes);
        self.cache.put(&key, CacheEntry { cached, age }).await;
        Ok(bytes)
    }

    /// Records the stored version of a market; call it before the change is acknowledged.
    pub(crate) fn invalidate_below(&self, id: MarketId, version: i64) {
        self.cache.invalidate_below(&[MinVersion { key: key(id).into(), version }]);
    }

    /// Records that a market was deleted.
    pub(crate) fn forget(&self, id: MarketId) {
        self.invalidate_below(id, i64::MAX);
    }

    fn is_good(&self, entry: &CacheEntry, now: Timestamp) -> bool {
        entry.age < self.trust && now < entry.cached.good_until
    }
}

/// Format version of pages. Nodes of different versions share the cache, and pages outlive a
/// deployment: increment it when the content of a page changes.
const MARKET_PAGE_FORMAT: u32 = 1;

fn key(id: MarketId) -> String {
    format!("market:{MARKET_PAGE_FORMAT}:{id}")
}

/// Runs a query and measures its age.
async fn timed<T>(
    question: impl Future<Output = Result<T, StoreError>>,
) -> Result<(T, Duration), StoreError> {
    let asked = Instant::now();
    Ok((question.await?, asked.elapsed()))
}

/// Converts a query's shared error for each reader that waited for it.
fn own(id: MarketId, error: Arc<AppError>) -> AppError {
    match Arc::try_unwrap(error) {
        Ok(error) => error,
        Err(shared) => match &*shared {
            AppError::Refused(_) => MarketError::NotFound(id).into(),
            AppError::Internal(what) => AppError::Internal(what),
            AppError::Store(error) => {
                let corrupt = clone_corrupt(error);
                corrupt.unwrap_or_else(|| StoreError::Unavailable(Box::new(shared))).into()
            }
            _ => StoreError::Unavailable(Box::new(shared)).into(),
        },
    }
}
