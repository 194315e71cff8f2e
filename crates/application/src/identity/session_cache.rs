//! Cache of sessions and API keys by token, so that most requests need no query for authentication.
//!
//! Changes by another process apply when they are announced, or when an entry is no longer fresh.
//! Changes by this process apply immediately: an entry that was read before its user last changed
//! is not used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;
use foretell_expiring_map::{ExpiringMap, Expiry};
use foretell_ports::secret::TokenHash;

use crate::caller::Caller;

/// Maximum number of sessions and keys, at some 500 bytes each.
const MAX_SESSIONS: usize = 20_000;

/// Additional lifetime of entries after they are no longer fresh.
const MARGIN: Duration = Duration::from_secs(10);

/// A session or key with the state read from storage.
#[derive(Debug, Clone)]
pub(crate) struct KnownSession {
    pub(crate) caller: Arc<Caller>,
    pub(crate) expires_at: Timestamp,
    /// Time of the query: the answer was true at this time or later.
    pub(crate) read_at: Timestamp,
}

/// Recently used sessions and keys.
pub(crate) struct SessionCache {
    sessions: ExpiringMap<TokenHash, KnownSession>,
    /// Times of users' last changes: kept for as long as an earlier entry could still be fresh.
    changes: ExpiringMap<UserId, Timestamp>,
    /// Time before which all entries are outdated, in microseconds.
    all_changed_us: AtomicI64,
    fresh_us: i64,
}

impl SessionCache {
    /// Creates a cache whose entries are fresh for this long; zero disables it.
    pub(crate) fn new(fresh: Duration) -> Self {
        // Freshness is decided by an entry's own time; these lifetimes only limit the memory.
        let kept = fresh + MARGIN;
        let sessions = ExpiringMap::new(MAX_SESSIONS, Expiry::AfterWrite(kept));
        // Not limited in number: evicting a change too early would revive an ended session.
        let changes = ExpiringMap::unbounded(Expiry::AfterWrite(kept + MARGIN));
        let all_changed_us = AtomicI64::new(i64::MIN);
        Self {
            sessions,
            changes,
            all_changed_us,
            fresh_us: i64::try_from(fresh.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// Returns the session or key of this token, if it is cached and still valid.
    pub(crate) fn find(&self, token: &TokenHash, now: Timestamp) -> Option<KnownSession> {
        let known = self.sessions.get(token)?;
        let age_us = now.micros().saturating_sub(known.read_at.micros());
        let is_fresh = (0..self.fresh_us).contains(&age_us);
        let changed_at = self.changes.get(&known.caller.user.id);
        let is_current = changed_at.is_none_or(|changed_at| changed_at < known.read_at);
        let is_kept = known.read_at.micros() > self.all_changed_us.load(Ordering::Acquire);
        (is_fresh && is_current && is_kept).then_some(known)
    }

    /// Stores a session or key read from storage.
    pub(crate) fn remember(&self, token: TokenHash, known: KnownSession) {
        if self.fresh_us > 0 {
            self.sessions.insert(token, known);
        }
    }

    /// Invalidates all sessions and keys of a user, including those whose queries are running; call
    /// it after the change is stored.
    pub(crate) fn forget_user(&self, user: UserId, now: Timestamp) {
        self.changes.insert(user, now);
    }

    /// Invalidates all sessions and keys, including those whose queries are running: any user may
    /// have changed.
    pub(crate) fn forget_all(&self, now: Timestamp) {
        self.all_changed_us.fetch_max(now.micros(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::{AccountId, SessionId};
    use foretell_testkit::Factory;

    use super::*;
    use crate::Credential;

    const TOKEN: TokenHash = TokenHash([7; 32]);

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn cache() -> SessionCache {
        SessionCache::new(Duration::from_secs(1))
    }

    fn known(read_at: Timestamp) -> KnownSession {
        let (account_id, session_id) = (AccountId::from_u128(1), SessionId::from_u128(1));
        let credential = Credential::Session(session_id);
        let caller = Caller { user: Factory::new(1).user(), account_id, credential };
        KnownSession { caller: Arc::new(caller), expires_at: at(i64::MAX), read_at }
    }

    #[test]
    fn an_entry_is_used_while_it_is_fresh() {
        let cache = cache();
        cache.remember(TOKEN, known(at(0)));
        assert!(cache.find(&TOKEN, at(999_999)).is_some());
        assert!(cache.find(&TOKEN, at(1_000_000)).is_none());
        assert!(cache.find(&TOKEN, at(-1)).is_none(), "a clock was set back");
    }

    #[test]
    fn forgotten_entries_are_not_used() {
        let cache = cache();
        cache.remember(TOKEN, known(at(5)));
        cache.forget_all(at(5));
        cache.forget_all(at(4));
        assert!(cache.find(&TOKEN, at(6)).is_none());
        cache.remember(TOKEN, known(at(6)));
        assert!(cache.find(&TOKEN, at(7)).is_some());
    }

    #[test]
    fn entry_read_before_change_is_not_used() {
        let cache = cache();
        let user = known(at(5)).caller.user.id;
        cache.remember(TOKEN, known(at(5)));
        cache.forget_user(user, at(6));
        assert!(cache.find(&TOKEN, at(7)).is_none());
        for read_at in [5, 6] {
            cache.remember(TOKEN, known(at(read_at)));
            assert!(cache.find(&TOKEN, at(7)).is_none(), "it may be from before the change");
        }
        cache.remember(TOKEN, known(at(7)));
        assert!(cache.find(&TOKEN, at(7)).is_some());
    }
}
