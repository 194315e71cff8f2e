//! Fakes of the ports other than storage, for tests.

use foretell_testkit::{
    FakeClock, MemoryCache, MemoryRateLimiter, MemoryWebhooks, PlainBodies, PlainPasswordHasher,
    SeededIds, SeededTokens,
};

use crate::builder::Builder;

impl Builder {
    /// Replaces every port but storage and mailer by a fake, so that a test is fast and gives the
    /// same ids each time: a clock that stands still, ids and tokens from a seed, passwords that
    /// are not hashed, webhooks that are not sent. Setters that follow replace single fakes.
    ///
    /// Passwords and tokens are not secret with it: never use it outside tests.
    pub fn fakes(self, seed: u64) -> Self {
        self.clock(FakeClock::default())
            .ids(SeededIds::new(seed))
            .tokens(SeededTokens::new(seed))
            .passwords(PlainPasswordHasher::default())
            .cache(MemoryCache::default())
            .limiter(MemoryRateLimiter::default())
            .webhook_sender(MemoryWebhooks::default())
            .webhook_bodies(PlainBodies)
    }
}
