//! Shows markets as they were finished before, so that a busy one costs no query and nothing to write out.
//!
//! Nobody in this process is shown a market older than what was acknowledged here: who changes one raises its
//! floor before they answer. What other processes change shows within [`MarketPages::trust`], whatever becomes of
//! the cache between them: what is older than that is shown only after its version was looked up.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use foretell_domain::error::DomainError;
use foretell_domain::id::MarketId;
use foretell_domain::market::{MarketError, Phase};
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, Cached, Floor, Known};
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketQueries};
use metrics::{Counter, counter};
use moka::future::Cache as Flights;

use crate::error::{AppError, clone_corrupt};

/// Writes a market out as it is shown at a moment; `None` is a fault of the program.
pub type Render = fn(&MarketDetails, Timestamp, &crate::ApplicationSettings) -> Option<Vec<u8>>;

/// How long what a reader has found is there for those who have asked at the same time.
const LANDED_FOR: Duration = Duration::from_millis(100);
/// The most readers of storage whose answers are there for others.
const MAX_FLIGHTS: u64 = 10_000;

/// Markets as they were finished.
pub(crate) struct MarketPages {
    cache: Arc<dyn Cache>,
    markets: Arc<dyn MarketQueries>,
    trust: Duration,
    /// One reader of storage for each market, and for each floor: who needs a newer version than the reader that
    /// is under way may find waits for another one.
    flights: Flights<(MarketId, i64), Arc<[u8]>>,
    /// Counts the pages that were at hand. Looking it up by its labels each time would cost more than counting.
    at_hand: OnceLock<Counter>,
}

impl MarketPages {
    pub(crate) fn new(cache: Arc<dyn Cache>, markets: Arc<dyn MarketQueries>, trust: Duration) -> Self {
        let flights = Flights::builder().max_capacity(MAX_FLIGHTS).time_to_live(LANDED_FOR).build();
        Self { cache, markets, trust, flights, at_hand: OnceLock::new() }
    }

    /// The page of a market that is at hand.
    pub(crate) fn glance(&self, id: MarketId, now: Timestamp) -> Option<Arc<[u8]>> {
        let known = self.cache.glance(&key(id))?;
        let page = self.is_good(&known, now).then_some(known.cached.bytes)?;
        let count = || counter!("foretell_market_pages_total", "source" => "memory");
        self.at_hand.get_or_init(count).increment(1);
        Some(page)
    }

    /// The page of a market: shared, looked up, or written anew by `finish`. Whoever asks first reads, and the
    /// others wait for that.
    pub(crate) async fn get(
        &self,
        id: MarketId,
        now: Timestamp,
        finish: impl Fn(&MarketDetails) -> Option<Vec<u8>>,
    ) -> Result<Arc<[u8]>, AppError> {
        counter!("foretell_market_pages_total", "source" => "shared_or_read").increment(1);
        let flight = (id, self.cache.floor_of(&key(id)));
        let page = self.flights.try_get_with(flight, self.read(id, now, finish)).await;
        self.flights.invalidate(&flight).await;
        page.map_err(|error| own(id, error))
    }

    async fn read(
        &self,
        id: MarketId,
        now: Timestamp,
        finish: impl Fn(&MarketDetails) -> Option<Vec<u8>>,
    ) -> Result<Arc<[u8]>, AppError> {
        let key = key(id);
        let known = self.cache.find(&key).await.filter(|known| now < known.cached.good_until);
        if let Some(known) = known {
            if self.is_good(&known, now) {
                return Ok(known.cached.bytes);
            }
            let (version, age) = timed(self.markets.find_market_version(id)).await?;
            if version == Some(known.cached.version) {
                self.cache.put(&key, Known { age, ..known.clone() }).await;
                return Ok(known.cached.bytes);
            }
        }
        let (details, age) = timed(self.markets.find_market(id)).await?;
        let details = details.ok_or(DomainError::Market(MarketError::NotFound(id)))?;
        let bytes = finish(&details).ok_or(AppError::Internal("a market cannot be written out"))?;
        let record = details.market.record();
        let is_open = details.market.phase_at(now) == Phase::Open;
        let good_until = if is_open { record.ends_at } else { Timestamp::from_micros(i64::MAX) };
        let cached = Cached { version: record.version, good_until, bytes: bytes.into() };
        let bytes = Arc::clone(&cached.bytes);
        self.cache.put(&key, Known { cached, age }).await;
        Ok(bytes)
    }

    /// Says which version of a market was stored; call it before the change is acknowledged.
    pub(crate) fn raise(&self, id: MarketId, version: i64) {
        self.cache.raise(&[Floor { key: key(id).into(), version }]);
    }

    /// Says that a market is gone.
    pub(crate) fn forget(&self, id: MarketId) {
        self.raise(id, i64::MAX);
    }

    fn is_good(&self, known: &Known, now: Timestamp) -> bool {
        known.age < self.trust && now < known.cached.good_until
    }
}

/// The number of the format of pages. Nodes of another version share the cache, and pages outlive a deploy:
/// whoever changes what a page shows gives it a new number.
const MARKET_PAGE_FORMAT: u32 = 1;

fn key(id: MarketId) -> String {
    format!("market:{MARKET_PAGE_FORMAT}:{id}")
}

/// What storage answers, and how long ago it was asked.
async fn timed<T>(
    question: impl Future<Output = Result<T, StoreError>>,
) -> Result<(T, Duration), StoreError> {
    let asked = Instant::now();
    Ok((question.await?, asked.elapsed()))
}

/// The one error of a reader for each of those who have waited for it.
fn own(id: MarketId, error: Arc<AppError>) -> AppError {
    match Arc::try_unwrap(error) {
        Ok(error) => error,
        Err(shared) => match &*shared {
            AppError::Refused(_) => DomainError::Market(MarketError::NotFound(id)).into(),
            AppError::Internal(what) => AppError::Internal(what),
            AppError::Store(error) => {
                let corrupt = clone_corrupt(error);
                corrupt.unwrap_or_else(|| StoreError::Unavailable(Box::new(shared))).into()
            }
            _ => StoreError::Unavailable(Box::new(shared)).into(),
        },
    }
}
