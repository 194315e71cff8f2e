//! Pages of lists, counted from one, and stretches, which begin anywhere.

/// The most rows on one page.
pub const MAX_PAGE_ROWS: u32 = 100;

/// Which rows of a list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    limit: u32,
}

impl PageRequest {
    /// Page `page` (from 1) of `limit` rows (1 to 100), or `None` outside these ranges.
    pub fn new(page: u32, limit: u32) -> Option<Self> {
        (page >= 1 && (1..=MAX_PAGE_ROWS).contains(&limit)).then_some(Self { page, limit })
    }

    /// The page, from 1.
    pub const fn page(self) -> u32 {
        self.page
    }

    /// The most rows on it, 1 to 100.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// How many rows come before it.
    pub fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.limit)
    }
}

/// A stretch of a list whose rows are told apart and ordered by keys `K`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<K> {
    /// Where it begins.
    pub start: Start<K>,
    /// The most rows in it.
    pub limit: u32,
}

/// Where a stretch of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<K> {
    /// At the first row. Fewer rows than the limit mean that the list ends, as after a key.
    First,
    /// After this many rows, each of which is passed over at a cost. There may be fewer rows than the limit
    /// before the end, since rows that cannot be read are left out.
    Offset(i64),
    /// After the place of this key, whether its row is still there or not: costs the same everywhere.
    After(K),
}

impl Stretch<i64> {
    /// The first and the last number of this stretch of a list that counts down from `newest` without a gap.
    pub fn numbers(self, newest: i64) -> (i64, i64) {
        let last = match self.start {
            Start::First => newest,
            Start::Offset(rows) => newest.saturating_sub(rows),
            Start::After(number) => newest.min(number.saturating_sub(1)),
        };
        (last.saturating_sub(i64::from(self.limit)).saturating_add(1), last)
    }
}

impl<K> From<PageRequest> for Stretch<K> {
    fn from(page: PageRequest) -> Self {
        Self { start: Start::Offset(page.offset()), limit: page.limit() }
    }
}

/// The rows of one page and how many there are on all pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// The rows of all pages.
    pub total: i64,
}
