//! Ids that are the same in every run of a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, ClientId, CommentId, InvitationId, JobId, MarketId, OptionId,
    PostId, SessionId, TransferId, UserId, WebhookId,
};
use foretell_ports::system::IdSource;

/// Milliseconds since 1970 in the first id: those of [`crate::clock::START`].
const FIRST_MS: u64 = 1_767_268_800_000;

/// Ids in the form of `UUIDv7`, each a millisecond after the previous one; all clones are the same
/// source.
///
/// The seed determines their random bits, so that two sources with different seeds never return the
/// same id.
#[derive(Debug, Clone)]
pub struct SeededIds {
    seed: u64,
    given: Arc<AtomicU64>,
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $method:ident: $id:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $method(&self) -> $id {
            $id::from_u128(self.next_id())
        }
    )+};
}

impl SeededIds {
    /// Creates the source with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, given: Arc::new(AtomicU64::new(0)) }
    }

    typed_ids! {
        /// The next id, for a user.
        user: UserId,
        /// The next id, for an account.
        account: AccountId,
        /// The next id, for a transfer.
        transfer: TransferId,
        /// The next id, for a market.
        market: MarketId,
        /// The next id, for an option.
        option: OptionId,
        /// The next id, for a bet.
        bet: BetId,
        /// The next id, for a client to choose.
        client: ClientId,
        /// The next id, for a session.
        session: SessionId,
        /// The next id, for an API key.
        api_key: ApiKeyId,
        /// The next id, for an invitation.
        invitation: InvitationId,
        /// The next id, for a post.
        post: PostId,
        /// The next id, for a comment.
        comment: CommentId,
        /// The next id, for a webhook.
        webhook: WebhookId,
        /// The next id, for a job.
        job: JobId,
    }
}

impl IdSource for SeededIds {
    fn next_id(&self) -> u128 {
        let number = self.given.fetch_add(1, Ordering::SeqCst);
        let millis = u128::from(FIRST_MS + number);
        // The mixed bits look random; the low bits are the seed itself, which keeps sources
        // distinct.
        let chance = u128::from(mix(self.seed ^ mix(number)) & 0xfff);
        let seed = u128::from(self.seed) & ((1 << 62) - 1);
        millis << 80 | 0x7 << 76 | chance << 64 | 0b10 << 62 | seed
    }
}

/// Last step of `SplitMix64`: scatters the bits of a counter.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_in_uuid_v7_form() {
        let ids = SeededIds::new(7);
        let mut last = 0;
        for _ in 0..1_000 {
            let id = ids.clone().next_id();
            assert!(id > last, "{id:x} comes after {last:x}");
            assert_eq!((id >> 76 & 0xf, id >> 62 & 0b11), (7, 0b10), "{id:x}");
            last = id;
        }
    }

    #[test]
    fn ids_depend_on_seed_only() {
        let first = |seed| SeededIds::new(seed).next_id();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
