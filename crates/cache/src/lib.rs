//! The cache and the rate limits, in the process by moka and shared by all nodes in Redis, and the index of vectors
//! in a Redis that has such. It knows the ports and the domain, and nothing of what is cached or limited.
//!
//! Redis may be slow, away, empty or full of nonsense at any time: it then counts as empty, for longer than
//! 50 milliseconds nobody waits for it, and after some failures nobody asks until it answers again. Entries and messages
//! are signed with a key that the nodes share: what somebody else writes into Redis is dropped.

mod breaker;
mod cause;
mod floors;
mod link;
mod listener;
mod local_limiter;
mod memory_tier;
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
pub use memory_tier::MokaCache;
pub use probe::RedisProblem;
pub use redis_limiter::RedisRateLimiter;
pub use redis_tier::RedisCache;
pub use redis_user_changes::RedisUserChanges;
pub use redis_vectors::RedisVectorIndex;
pub use tiers::TieredCache;
