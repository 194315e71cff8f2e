//! Map whose entries expire.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

/// Maximum number of expired entries that one write drops. More than one, so that the map shrinks
/// after a burst; few, so that no write takes long.
const DROPPED_PER_WRITE: usize = 4;

/// Lifetime of entries.
#[derive(Debug, Clone, Copy)]
pub enum Expiry {
    /// Time after the last write of an entry. A full map evicts the oldest entry.
    AfterWrite(Duration),
    /// Time after the last read or write of an entry. A full map evicts the least recently used
    /// entry.
    AfterUse(Duration),
}

/// Change to an entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Change<V> {
    /// No change.
    Keep,
    /// Stores this value.
    Put(V),
    /// Removes the entry.
    Remove,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    /// Time from which the lifetime counts.
    used_at: Instant,
}

/// Map whose entries expire, shared by threads. Values are cloned when read, so large ones belong
/// into an `Arc`.
///
/// One lock protects all entries. It is held for less than a microsecond; no user has shown
/// contention so far.
#[derive(Debug)]
pub struct ExpiringMap<K: Hash + Eq, V> {
    /// The last one has the oldest `used_at`, so that expired entries are found there.
    entries: Mutex<LruCache<K, Entry<V>>>,
    expiry: Expiry,
    max_entries: usize,
}

impl<K: Hash + Eq, V: Clone> ExpiringMap<K, V> {
    /// Creates an empty map with a maximum number of entries.
    #[must_use]
    pub fn new(max_entries: usize, expiry: Expiry) -> Self {
        // Its own limit would allocate the memory for all entries at once.
        Self { entries: Mutex::new(LruCache::unbounded()), expiry, max_entries }
    }

    /// Creates an empty map whose number of entries is limited by their lifetime alone.
    #[must_use]
    pub fn unbounded(expiry: Expiry) -> Self {
        Self::new(usize::MAX, expiry)
    }

    /// Returns the value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get_at(key, Instant::now())
    }

    /// Returns the value of a key, or inserts one.
    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V {
        let now = Instant::now();
        let mut entries = self.lock();
        if let Some(value) = self.read(&mut entries, &key, now) {
            return value.clone();
        }
        let value = make();
        self.write(&mut entries, key, value.clone(), now);
        value
    }

    /// Stores a value.
    pub fn insert(&self, key: K, value: V) {
        self.insert_at(key, value, Instant::now());
    }

    /// Removes an entry.
    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.lock().pop(key);
    }

    /// Changes an entry under the lock: no other thread reads or writes it in between. Returns
    /// `true` if it was changed.
    pub fn change(&self, key: K, change: impl FnOnce(Option<&V>) -> Change<V>) -> bool {
        let now = Instant::now();
        let mut entries = self.lock();
        match change(self.read(&mut entries, &key, now)) {
            Change::Keep => false,
            Change::Put(value) => {
                self.write(&mut entries, key, value, now);
                true
            }
            Change::Remove => entries.pop(&key).is_some(),
        }
    }

    fn get_at<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Instant) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.read(&mut self.lock(), key, now).cloned()
    }

    fn insert_at(&self, key: K, value: V, now: Instant) {
        self.write(&mut self.lock(), key, value, now);
    }

    /// Returns the value of a key unless it has expired.
    fn read<'a, Q: Hash + Eq + ?Sized>(
        &self,
        entries: &'a mut LruCache<K, Entry<V>>,
        key: &Q,
        now: Instant,
    ) -> Option<&'a V>
    where
        K: Borrow<Q>,
    {
        match self.expiry {
            Expiry::AfterWrite(lifetime) => {
                let entry = entries.peek(key)?;
                is_alive(entry, lifetime, now).then_some(&entry.value)
            }
            Expiry::AfterUse(lifetime) => {
                // Moves the entry to the front, even if it has expired: then it is dropped later.
                let entry = entries.get_mut(key)?;
                if !is_alive(entry, lifetime, now) {
                    return None;
                }
                entry.used_at = now;
                Some(&entry.value)
            }
        }
    }

    /// Stores a value and drops entries that have expired or are too many.
    fn write(&self, entries: &mut LruCache<K, Entry<V>>, key: K, value: V, now: Instant) {
        entries.put(key, Entry { value, used_at: now });
        let (Expiry::AfterWrite(lifetime) | Expiry::AfterUse(lifetime)) = self.expiry;
        for _ in 0..DROPPED_PER_WRITE {
            let is_expired =
                entries.peek_lru().is_some_and(|(_, oldest)| !is_alive(oldest, lifetime, now));
            if !is_expired && entries.len() <= self.max_entries {
                return;
            }
            entries.pop_lru();
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<K, Entry<V>>> {
        // A panic of a caller's closure leaves every entry whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_alive<V>(entry: &Entry<V>, lifetime: Duration, now: Instant) -> bool {
    // Threads take the time before the lock, so it may be a little earlier than that of the entry.
    now.saturating_duration_since(entry.used_at) < lifetime
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn written_entry_expires_despite_reads() {
        let (map, start) = (ExpiringMap::new(5, Expiry::AfterWrite(LIFETIME)), Instant::now());
        map.insert_at("a", 1, start);
        assert_eq!(map.get_at("a", after(start, 9)), Some(1));
        assert_eq!(map.get_at("a", after(start, 10)), None);
        map.insert_at("a", 2, after(start, 10));
        assert_eq!(map.get_at("a", after(start, 19)), Some(2));
    }

    #[test]
    fn used_entry_expires_after_last_read() {
        let (map, start) = (ExpiringMap::new(5, Expiry::AfterUse(LIFETIME)), Instant::now());
        map.insert_at("a", 1, start);
        assert_eq!(map.get_at("a", after(start, 9)), Some(1));
        assert_eq!(map.get_at("a", after(start, 18)), Some(1));
        assert_eq!(map.get_at("a", after(start, 28)), None);
        map.insert_at("b", 2, after(start, 28));
        assert_eq!(map.lock().len(), 1);
    }

    #[test]
    fn full_map_evicts_oldest_write() {
        let map = ExpiringMap::new(2, Expiry::AfterWrite(LIFETIME));
        map.insert("a", 1);
        map.insert("b", 2);
        assert_eq!(map.get("a"), Some(1));
        map.insert("c", 3);
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(2), Some(3)));
    }

    #[test]
    fn full_map_evicts_least_recently_used() {
        let map = ExpiringMap::new(2, Expiry::AfterUse(LIFETIME));
        map.insert("a", 1);
        map.insert("b", 2);
        assert_eq!(map.get("a"), Some(1));
        map.insert("c", 3);
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (Some(1), None, Some(3)));
    }

    #[test]
    fn writes_drop_expired_entries() {
        let (map, start) = (ExpiringMap::unbounded(Expiry::AfterWrite(LIFETIME)), Instant::now());
        for key in 0..100 {
            map.insert_at(key, key, start);
        }
        for key in 100..150 {
            map.insert_at(key, key, after(start, 10));
        }
        assert_eq!(map.lock().len(), 50);
    }

    #[test]
    fn change_sees_and_sets_the_value() {
        let map = ExpiringMap::new(5, Expiry::AfterWrite(LIFETIME));
        assert!(map.change("a", |held| Change::Put(held.copied().unwrap_or(7))));
        assert!(map.change("a", |held| Change::Put(held.copied().unwrap_or(0) + 1)));
        assert!(!map.change("a", |_| Change::Keep));
        assert_eq!(map.get("a"), Some(8));
        assert!(map.change("a", |_| Change::Remove));
        assert!(!map.change("a", |_| Change::Remove));
        assert_eq!(map.get("a"), None);
    }

    #[test]
    fn get_or_insert_with_keeps_the_first_value() {
        let map = ExpiringMap::new(5, Expiry::AfterUse(LIFETIME));
        assert_eq!(map.get_or_insert_with("a", || 1), 1);
        assert_eq!(map.get_or_insert_with("a", || 2), 1);
        map.remove("a");
        assert_eq!(map.get_or_insert_with("a", || 2), 2);
    }
}
