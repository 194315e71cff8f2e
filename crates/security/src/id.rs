//! `UUIDv7` ids: they start with the time, so that new rows are neighbours in an index.

use foretell_ports::system::IdSource;
use uuid::Uuid;

/// Creates ids of 48 bits of time in milliseconds, a counter of 42 bits and 32 random bits.
///
/// All instances and threads share one counter behind one lock, which also keeps the time from
/// going back when the system clock does. Ids of two processes have no defined order.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidV7Ids;

impl IdSource for UuidV7Ids {
    fn next_id(&self) -> u128 {
        Uuid::now_v7().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::thread;

    use super::*;

    const THREADS: usize = 4;
    const IDS_PER_THREAD: usize = 20_000;

    fn on_all_threads<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(&work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn ids_are_of_version_7_and_the_rfc_variant() {
        let id = Uuid::from_u128(UuidV7Ids.next_id());
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
    }

    #[test]
    fn concurrent_ids_are_distinct_and_ascending() {
        let ids =
            on_all_threads(|| (0..IDS_PER_THREAD).map(|_| UuidV7Ids.next_id()).collect::<Vec<_>>());
        for of_thread in &ids {
            assert!(of_thread.is_sorted_by(|before, after| before < after));
        }
        let distinct: BTreeSet<_> = ids.into_iter().flatten().collect();
        assert_eq!(distinct.len(), THREADS * IDS_PER_THREAD);
    }

    #[test]
    fn ids_ascend_across_threads() {
        let ids = Mutex::new(Vec::new());
        on_all_threads(|| {
            for _ in 0..IDS_PER_THREAD {
                let mut ids = ids.lock().unwrap();
                ids.push(UuidV7Ids.next_id());
            }
        });
        assert!(ids.into_inner().unwrap().is_sorted_by(|before, after| before < after));
    }
}
