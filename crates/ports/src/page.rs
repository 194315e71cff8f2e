//! Pages of lists, by number or by key.

/// Maximum rows of one page.
pub const MAX_PAGE_ROWS: u32 = 100;

/// Request of a numbered page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedPage {
    page: u32,
    limit: u32,
}

impl NumberedPage {
    /// Creates a request of page `page` (from 1) with `limit` rows (1 to 100), or `None` outside
    /// these ranges.
    pub fn new(page: u32, limit: u32) -> Option<Self> {
        (page >= 1 && (1..=MAX_PAGE_ROWS).contains(&limit)).then_some(Self { page, limit })
    }

    /// Returns the page, from 1.
    pub const fn page(self) -> u32 {
        self.page
    }

    /// Returns the maximum number of rows, 1 to 100.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// Returns the number of rows before the page.
    pub fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.limit)
    }
}

/// Request of a page of a list whose rows are identified and ordered by keys `K`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Start of the page.
    pub start: PageStart<K>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Start of a page in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart<K> {
    /// The first row. Fewer rows than the limit mean that the list ends, as after a key.
    First,
    /// After this many rows, each of which costs time. The page may be shorter than the limit
    /// before the end of the list, since unreadable rows are left out.
    Offset(i64),
    /// After this key, whether its row still exists or not: every page costs the same.
    After(K),
}

impl PageRequest<i64> {
    /// Returns the first and the last number of this page in a list numbered from `newest` down
    /// without gaps.
    pub fn numbers(self, newest: i64) -> (i64, i64) {
        let last = match self.start {
            PageStart::First => newest,
            PageStart::Offset(rows) => newest.saturating_sub(rows),
            PageStart::After(number) => newest.min(number.saturating_sub(1)),
        };
        (last.saturating_sub(i64::from(self.limit)).saturating_add(1), last)
    }
}

impl<K> From<NumberedPage> for PageRequest<K> {
    fn from(page: NumberedPage) -> Self {
        Self { start: PageStart::Offset(page.offset()), limit: page.limit() }
    }
}

/// The rows of one page and the total number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Rows of this page.
    pub rows: Vec<T>,
    /// Total number of rows on all pages.
    pub total: i64,
}
