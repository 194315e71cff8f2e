//! The cache of this process alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use foretell_ports::cache::{Cache, Cached, Floor, Known, Reach};
use moka::ops::compute::Op;

use crate::floors::Floors;

/// What is remembered, and when storage was asked for it.
#[derive(Debug, Clone)]
struct Entry {
    cached: Cached,
    /// `None` if that was before this machine started.
    asked_at: Option<Instant>,
}

/// The cache of one process. What is read often stays; what nobody has read for a while goes first.
#[derive(Debug)]
pub struct MokaCache {
    entries: moka::sync::Cache<Arc<str>, Entry>,
    floors: Floors,
}

impl MokaCache {
    /// A cache of at most so many entries, each of which is kept for this long after it was last read.
    #[must_use]
    pub fn new(max_entries: u64, kept_unread: Duration) -> Self {
        let entries =
            moka::sync::Cache::builder().max_capacity(max_entries).time_to_idle(kept_unread).build();
        Self { entries, floors: Floors::new() }
    }

    /// The same as the port's, without a future.
    pub(crate) fn put_now(&self, key: &str, known: Known) {
        let Known { cached, age } = known;
        let (version, asked_at) = (cached.version, Instant::now().checked_sub(age));
        let newer = |held: Option<moka::Entry<_, Entry>>| match held {
            Some(held) if held.value().cached.version > version => Op::Nop,
            _ => Op::Put(Entry { cached, asked_at }),
        };
        let key: Arc<str> = key.into();
        self.entries.entry(Arc::clone(&key)).and_compute_with(newer);
        // The floor is looked at last: one that is raised meanwhile drops what it finds.
        self.drop_below(&key, self.floors.of(&key));
    }

    fn drop_below(&self, key: &Arc<str>, floor: i64) {
        let below = |held: Option<moka::Entry<_, Entry>>| match held {
            Some(held) if held.value().cached.version < floor => Op::Remove,
            _ => Op::Nop,
        };
        if floor > 0 {
            self.entries.entry(Arc::clone(key)).and_compute_with(below);
        }
    }
}

#[async_trait]
impl Cache for MokaCache {
    fn glance(&self, key: &str) -> Option<Known> {
        let Entry { cached, asked_at } = self.entries.get(key)?;
        let age = asked_at.map_or(Duration::MAX, |asked_at| asked_at.elapsed());
        (cached.version >= self.floors.of(key)).then_some(Known { cached, age })
    }

    async fn find(&self, key: &str) -> Option<Known> {
        self.glance(key)
    }

    async fn put(&self, key: &str, known: Known) {
        self.put_now(key, known);
    }

    fn raise(&self, floors: &[Floor]) {
        for floor in floors {
            if self.floors.raise(floor) {
                self.drop_below(&floor.key, floor.version);
            }
        }
    }

    fn floor_of(&self, key: &str) -> i64 {
        self.floors.of(key)
    }

    fn reach(&self) -> Reach {
        Reach::Own
    }
}
