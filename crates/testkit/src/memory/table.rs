//! One table of the in-memory store: committed rows, and the changes of the running unit.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::fmt::Debug;
use std::iter::Peekable;
use std::ops::RangeBounds;

use foretell_ports::error::StoreError;

/// Rows by key. Units see the committed rows with their own changes; queries see only the committed
/// rows.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    name: &'static str,
    committed: BTreeMap<K, V>,
    /// Changes of the running unit; `None` is a deleted row.
    pending: BTreeMap<K, Option<V>>,
}

impl<K: Ord + Clone + Debug, V> Table<K, V> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, committed: BTreeMap::new(), pending: BTreeMap::new() }
    }

    /// Returns the committed rows: everything that queries may see.
    pub(super) fn committed(&self) -> &BTreeMap<K, V> {
        &self.committed
    }

    /// Returns the row as the running unit sees it.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.pending.get(key).map_or_else(|| self.committed.get(key), Option::as_ref)
    }

    /// Returns the row as the running unit sees it; its absence violates a foreign key.
    pub(super) fn require(&self, key: &K) -> Result<&V, StoreError> {
        self.get(key).ok_or_else(|| rejected(format!("{} has no row {key:?}", self.name)))
    }

    /// Adds a row; an existing key violates uniqueness.
    pub(super) fn insert(&mut self, key: K, row: V) -> Result<(), StoreError> {
        if self.get(&key).is_some() {
            return Err(rejected(format!("{} has a row {key:?} already", self.name)));
        }
        self.put(key, row);
        Ok(())
    }

    /// Adds or replaces a row.
    pub(super) fn put(&mut self, key: K, row: V) {
        self.pending.insert(key, Some(row));
    }

    /// Deletes a row if it exists.
    pub(super) fn remove(&mut self, key: K) {
        self.pending.insert(key, None);
    }

    /// Returns the rows of a range of keys as the running unit sees them, in ascending order.
    pub(super) fn range(&self, keys: impl RangeBounds<K> + Clone) -> Merged<'_, K, V> {
        let committed = self.committed.range(keys.clone()).peekable();
        Merged { committed, pending: self.pending.range(keys).peekable() }
    }
}

/// Returns the error for a change that a database would reject.
pub(super) fn rejected(reason: impl Into<String>) -> StoreError {
    StoreError::Rejected(reason.into().into())
}

/// End of a unit, for a table of any kind.
pub(super) trait EndOfUnit {
    /// Commits the changes of the unit.
    fn commit(&mut self);

    /// Rolls back the changes of the unit.
    fn roll_back(&mut self);
}

impl<K: Ord, V> EndOfUnit for Table<K, V> {
    fn commit(&mut self) {
        for (key, change) in std::mem::take(&mut self.pending) {
            match change {
                Some(row) => self.committed.insert(key, row),
                None => self.committed.remove(&key),
            };
        }
    }

    fn roll_back(&mut self) {
        self.pending.clear();
    }
}

/// Committed rows and pending changes in one order, a change in place of its row.
pub(super) struct Merged<'a, K, V> {
    committed: Peekable<Range<'a, K, V>>,
    pending: Peekable<Range<'a, K, Option<V>>>,
}

impl<'a, K: Ord, V> Iterator for Merged<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((changed, _)) = self.pending.peek() else { return self.committed.next() };
            if let Some(row) = self.committed.next_if(|(key, _)| key < changed) {
                return Some(row);
            }
            self.committed.next_if(|(key, _)| key == changed);
            if let (key, Some(row)) = self.pending.next()? {
                return Some((key, row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(table: &Table<u8, char>) -> Vec<(u8, char)> {
        table.range(..).map(|(key, row)| (*key, *row)).collect()
    }

    #[test]
    fn unit_sees_its_changes_over_committed_rows() {
        let mut table = Table::new("letters");
        for (key, row) in [(1, 'a'), (2, 'b'), (4, 'd')] {
            table.insert(key, row).unwrap();
        }
        table.commit();
        table.put(2, 'B');
        table.remove(4);
        table.insert(3, 'c').unwrap();
        table.insert(5, 'e').unwrap();
        assert_eq!(seen(&table), [(1, 'a'), (2, 'B'), (3, 'c'), (5, 'e')]);
        assert_eq!(table.committed().values().collect::<String>(), "abd");
        assert!(table.insert(1, 'x').is_err() && table.require(&4).is_err());
        table.roll_back();
        assert_eq!(seen(&table), [(1, 'a'), (2, 'b'), (4, 'd')]);
    }
}
