//! Password hashing by argon2id, session tokens, ids and the system clock; depends neither on
//! storage nor on HTTP.

mod clock;
mod id;
mod password;
mod queue;
mod token;

pub use clock::SystemClock;
pub use id::UuidV7Ids;
pub use password::{Argon2Hasher, HashingCost};
pub use queue::WAITING_PER_THREAD;
pub use token::SessionTokens;
