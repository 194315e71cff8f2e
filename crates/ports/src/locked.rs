//! Rows that only one unit of work can change.

use std::ops::{Deref, DerefMut};

/// A row that the running unit of work has locked or inserted. Only such rows can be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked<T>(T);

impl<T> Locked<T> {
    /// Marks a row as locked. Only adapters, after locking it, may call this.
    pub const fn assume(row: T) -> Self {
        Self(row)
    }

    /// Returns the row, which can then no longer be saved.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
