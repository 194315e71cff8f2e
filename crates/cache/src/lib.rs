//! The cache and the rate limits, in the process and shared by all nodes in Redis, and the
//! vector index in a Redis with vector sets. Depends on the ports and the domain only, and does not
//! know the meaning of entries and limits.
//!
//! Redis may be slow, down, empty or contain invalid data at any time: it then counts as empty, no
//! request waits for it longer than 50 milliseconds, and after some failures no request is sent
//! until it responds again. Entries and messages are signed with a key that the nodes share:
//! anything written to Redis by others is dropped.

mod breaker;
mod cause;
mod link;
mod listener;
mod local_limiter;
mod memory_tier;
mod min_versions;
mod probe;
mod publisher;
mod redis_limiter;
mod redis_tier;
mod redis_user_changes;
mod redis_vectors;
mod seal;
mod tiers;

pub use cause::RedisCause;
pub use link::{RedisError, RedisLink, RedisSettings};
pub use local_limiter::LocalRateLimiter;
pub use memory_tier::LocalCache;
pub use probe::RedisProblem;
pub use redis_limiter::RedisRateLimiter;
pub use redis_tier::RedisCache;
pub use redis_user_changes::RedisUserChanges;
pub use redis_vectors::RedisVectorIndex;
pub use tiers::TieredCache;
