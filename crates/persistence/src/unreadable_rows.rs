//! Lists that leave out unreadable rows.
//!
//! One corrupt row must not hide all others, so lists and searches skip it. Reads of a single row
//! and everything that locks rows still fail: a missing row there would be a wrong result.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use foretell_ports::error::Chain;
use foretell_ports::page::{PageRequest, PageStart};
use metrics::counter;

use crate::error::Failure;

/// Minimum number of rows in a query that replaces rows left out.
const REFILL_ROWS: u32 = 200;

/// Maximum number of refills of a page. After so many consecutive unreadable rows, the page fails.
const MAX_REFILLS: usize = 100;

/// Maximum number of rows that one process logs: this bounds the memory for remembering them.
const MAX_LOGGED: usize = 10_000;

/// Table, column and id of a row.
type RowName = (&'static str, &'static str, String);

/// Rows that were logged.
static LOGGED: LazyLock<Mutex<HashSet<RowName>>> = LazyLock::new(Mutex::default);

/// Returns the rows of a list that are readable; the others are reported and left out.
pub(crate) fn skip_unreadable<T>(
    rows: impl IntoIterator<Item = Result<T, Failure>>,
) -> Result<Vec<T>, Failure> {
    let rows = rows.into_iter();
    let mut found = Vec::with_capacity(rows.size_hint().0);
    for row in rows {
        match row {
            Ok(row) => found.push(row),
            Err(failure) => skip(failure)?,
        }
    }
    Ok(found)
}

/// Returns a page of a list, filled up with later rows if some are unreadable, so that fewer rows
/// than requested mean the end of the list.
///
/// `load` reads a part of the list and `key_of` returns the key of a row. A page at a row number is
/// not filled up: the added rows would belong to the next page.
pub(crate) fn load_page<K, R, T>(
    page: PageRequest<K>,
    mut load: impl FnMut(&PageRequest<K>) -> Result<Vec<R>, Failure>,
    key_of: impl Fn(&R) -> K,
    convert: impl Fn(R) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let wanted = page.limit as usize;
    let can_refill = !matches!(page.start, PageStart::Offset(_));
    let mut request = page;
    let mut found = Vec::new();
    for _ in 0..=MAX_REFILLS {
        let rows = load(&request)?;
        let is_end = rows.len() < request.limit as usize;
        // The key of the last row, readable or not: the next part must start after it.
        let last = rows.last().map(&key_of);
        found.extend(skip_unreadable(rows.into_iter().map(&convert))?);
        match last {
            Some(last) if can_refill && !is_end && found.len() < wanted => {
                request = PageRequest {
                    start: PageStart::After(last),
                    limit: request.limit.max(REFILL_ROWS),
                };
            }
            _ => {
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }
    Err(Failure::TooManyUnreadable)
}

/// Reports an unreadable row; any other failure is returned.
fn skip(failure: Failure) -> Result<(), Failure> {
    let Failure::Corrupt { table, column, id, cause } = failure else { return Err(failure) };
    counter!("foretell_unreadable_rows_total", "table" => table).increment(1);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.len() < MAX_LOGGED && logged.insert((table, column, id.clone())) {
        // Not held while logging, which may block.
        drop(logged);
        let error = Chain(&*cause);
        tracing::error!(
            table, column, id, %error,
            "stored row cannot be read and is left out of lists; `foretell doctor` shows how to \
             repair it"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of numbers that ends at `count`; those for which `is_bad` is true are corrupt.
    fn page(
        start: PageStart<u32>,
        limit: u32,
        count: u32,
        is_bad: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, Failure> {
        let load = |page: &PageRequest<u32>| {
            let first = match page.start {
                PageStart::First => 1,
                PageStart::Offset(rows) => u32::try_from(rows).unwrap() + 1,
                PageStart::After(last) => last + 1,
            };
            Ok((first..=count).take(page.limit as usize).collect())
        };
        let convert = |number: u32| {
            let corrupt = || Failure::Corrupt {
                table: "numbers",
                column: "number",
                id: number.to_string(),
                cause: "bad".into(),
            };
            if is_bad(number) { Err(corrupt()) } else { Ok(number) }
        };
        load_page(PageRequest { start, limit }, load, |number| *number, convert)
    }

    #[test]
    fn pages_contain_every_readable_row_once() {
        for limit in 1..8 {
            for bad_from in 1..12 {
                let is_bad = |number| (bad_from..bad_from + 7).contains(&number) || number % 5 == 0;
                let mut found: Vec<u32> = Vec::new();
                let mut start = PageStart::First;
                loop {
                    let rows = page(start, limit, 23, is_bad).unwrap();
                    found.extend(&rows);
                    match rows.last() {
                        Some(last) if rows.len() == limit as usize => {
                            start = PageStart::After(*last);
                        }
                        _ => break,
                    }
                }
                let expected: Vec<_> = (1..=23).filter(|number| !is_bad(*number)).collect();
                assert_eq!(found, expected, "limit {limit}, bad from {bad_from}");
            }
        }
    }

    #[test]
    fn page_at_offset_is_not_refilled() {
        assert_eq!(page(PageStart::Offset(2), 3, 9, |number| number == 4).unwrap(), [3, 5]);
    }

    #[test]
    fn endless_unreadable_rows_fail_the_page() {
        let failure = page(PageStart::First, 10, u32::MAX, |_| true);
        assert!(matches!(failure, Err(Failure::TooManyUnreadable)));
    }

    #[test]
    fn other_failures_are_returned() {
        let rows = [Ok(1), Err(Failure::Vanished { table: "numbers", expected: 1, saved: 0 })];
        assert!(skip_unreadable(rows).is_err());
    }
}
