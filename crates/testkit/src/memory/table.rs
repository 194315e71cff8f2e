//! One table of the memory store: committed rows, and over them the changes of the running unit.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::fmt::Debug;
use std::iter::Peekable;
use std::ops::RangeBounds;

use foretell_ports::error::StoreError;

/// Rows by their key. Units see their own changes over the committed rows; queries see these only.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    name: &'static str,
    committed: BTreeMap<K, V>,
    /// What the running unit has changed; `None` stands for a deleted row.
    pending: BTreeMap<K, Option<V>>,
}

impl<K: Ord + Clone + Debug, V> Table<K, V> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, committed: BTreeMap::new(), pending: BTreeMap::new() }
    }

    /// The rows as they were when the last unit was committed: all that queries may see.
    pub(super) fn committed(&self) -> &BTreeMap<K, V> {
        &self.committed
    }

    /// The row as the running unit sees it.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.pending.get(key).map_or_else(|| self.committed.get(key), Option::as_ref)
    }

    /// The row as the running unit sees it; its absence breaks a foreign key.
    pub(super) fn require(&self, key: &K) -> Result<&V, StoreError> {
        self.get(key).ok_or_else(|| rejected(format!("{} has no row {key:?}", self.name)))
    }

    /// Adds a row; a taken key breaks the table's uniqueness.
    pub(super) fn insert(&mut self, key: K, row: V) -> Result<(), StoreError> {
        if self.get(&key).is_some() {
            return Err(rejected(format!("{} has a row {key:?} already", self.name)));
        }
        self.put(key, row);
        Ok(())
    }

    /// Adds a row or replaces it.
    pub(super) fn put(&mut self, key: K, row: V) {
        self.pending.insert(key, Some(row));
    }

    /// Deletes a row if it is there.
    pub(super) fn remove(&mut self, key: K) {
        self.pending.insert(key, None);
    }

    /// The rows of a range of keys as the running unit sees them, in ascending order.
    pub(super) fn range(&self, keys: impl RangeBounds<K> + Clone) -> Merged<'_, K, V> {
        let committed = self.committed.range(keys.clone()).peekable();
        Merged { committed, pending: self.pending.range(keys).peekable() }
    }
}

/// A change that the data does not allow, as a database would report it.
pub(super) fn rejected(reason: impl Into<String>) -> StoreError {
    StoreError::Rejected(reason.into().into())
}

/// The end of a unit, for a table of any kind.
pub(super) trait EndOfUnit {
    /// Keeps the changes of the unit.
    fn commit(&mut self);

    /// Forgets the changes of the unit.
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

/// Committed rows and pending changes in one order, a change in the place of the row that it changes.
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
    fn a_unit_sees_its_changes_over_the_committed_rows() {
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
