//! Maps whose entries expire, and loads that concurrent callers share. Knows nothing of what is
//! cached.

mod expiring_map;
mod loading_cache;
mod single_flight;

pub use expiring_map::{Change, ExpiringMap, Expiry};
pub use loading_cache::LoadingCache;
pub use single_flight::SingleFlight;
