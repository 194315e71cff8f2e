//! Differences between the two databases: opening, locking, bulk writes and errors. No other module
//! depends on which database is open.

pub(crate) mod backends;
mod bulk;
pub(crate) mod bulk_ledger;
pub(crate) mod bulk_market;
pub(crate) mod classify;
pub(crate) mod content;
pub(crate) mod credentials;
pub(crate) mod invitations;
pub(crate) mod jobs;
pub(crate) mod look_up;
pub(crate) mod pool;
pub(crate) mod searches;
pub(crate) mod session;
pub(crate) mod transaction;
pub(crate) mod webhooks;

/// Collects one column of many rows into an array.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Runs a statement for each row and returns the total number of affected rows.
fn sum_of<R>(
    rows: &[R],
    mut run: impl FnMut(&R) -> diesel::QueryResult<usize>,
) -> diesel::QueryResult<usize> {
    rows.iter().try_fold(0, |sum, row| Ok(sum + run(row)?))
}

/// Collects the rows of one statement per key.
fn each<K: Copy, R>(
    keys: impl IntoIterator<Item = K>,
    mut load: impl FnMut(K) -> diesel::QueryResult<Vec<R>>,
) -> diesel::QueryResult<Vec<R>> {
    let mut rows = Vec::new();
    for key in keys {
        rows.append(&mut load(key)?);
    }
    Ok(rows)
}
