//! Price history: the trades of a market aggregated by interval.

use foretell_domain::id::MarketId;
use foretell_domain::money::Balance;
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;
use foretell_ports::market::{MarketDetails, PricePoint, PriceWindow};
use thiserror::Error;

use super::Trading;
use crate::error::AppError;
use crate::markets::read_markets::get_market;

/// Maximum number of intervals of one chart.
pub const MAX_INTERVALS: i64 = 1_000;
/// Number of trades in one query.
const TRADES_AT_ONCE: u32 = 5_000;

/// Length of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandleInterval {
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds, in UTC.
    Day,
}

impl CandleInterval {
    /// Returns the length in microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Minute => 60_000_000,
            Self::Hour => 3_600_000_000,
            Self::Day => 86_400_000_000,
        }
    }

    /// Returns the start of the interval that contains `at`.
    pub const fn start_of(self, at: Timestamp) -> Timestamp {
        Timestamp::from_micros(at.micros() - at.micros().rem_euclid(self.micros()))
    }
}

/// Intervals of a price history: at least a part of one, at most [`MAX_INTERVALS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartWindow {
    interval: CandleInterval,
    from: Timestamp,
    to: Timestamp,
}

/// Reason why there is no price history of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChartWindowError {
    /// The window does not begin before its end.
    #[error("must be before to")]
    Empty,
    /// The window has too many intervals.
    #[error("must be at most {MAX_INTERVALS} intervals before to")]
    TooLong,
}

impl ChartWindow {
    /// Creates the window from `from` to before `to`.
    ///
    /// # Errors
    /// [`ChartWindowError`].
    pub fn new(
        interval: CandleInterval,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Self, ChartWindowError> {
        let length = to.micros().saturating_sub(from.micros());
        if length <= 0 {
            return Err(ChartWindowError::Empty);
        }
        if length > interval.micros().saturating_mul(MAX_INTERVALS) {
            return Err(ChartWindowError::TooLong);
        }
        Ok(Self { interval, from, to })
    }

    /// Returns the length of the intervals.
    pub const fn interval(self) -> CandleInterval {
        self.interval
    }

    /// Returns the start of the window, inclusive.
    pub const fn from(self) -> Timestamp {
        self.from
    }

    /// Returns the end of the window, exclusive.
    pub const fn to(self) -> Timestamp {
        self.to
    }
}

/// Probability of one option within an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionCandle {
    /// Before the interval's first trade.
    pub open: Probability,
    /// The highest.
    pub high: Probability,
    /// The lowest.
    pub low: Probability,
    /// After its last trade.
    pub close: Probability,
}

/// The trades of one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceBucket {
    /// Start of the interval.
    pub start: Timestamp,
    /// One candle for each option.
    pub options: Vec<OptionCandle>,
    /// Money traded.
    pub volume: Balance,
    /// Number of trades.
    pub trades: u32,
}

/// A market with the intervals in which it was traded, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceChart {
    /// The market.
    pub market: MarketDetails,
    /// The intervals with at least one trade.
    pub buckets: Vec<PriceBucket>,
}

impl Trading {
    /// Returns the price history of a market.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_price_history(
        &self,
        market_id: MarketId,
        ChartWindow { interval, from, to }: ChartWindow,
    ) -> Result<PriceChart, AppError> {
        let market = get_market(&*self.markets, market_id).await?;
        let window = PriceWindow { market_id, from: interval.start_of(from), to };
        let before = self.markets.find_prices_before(market_id, window.from).await?;
        let initial =
            || market.market.record().options.iter().map(|option| option.initial).collect();
        let mut chart =
            Chart { interval, last: before.unwrap_or_else(initial), buckets: Vec::new() };
        let mut after = 0;
        loop {
            let points = self.markets.list_prices(window, after, TRADES_AT_ONCE).await?;
            let is_last = points.len() < TRADES_AT_ONCE as usize;
            for (sequence, point) in points {
                chart.add(point);
                after = sequence;
            }
            if is_last {
                return Ok(PriceChart { market, buckets: chart.buckets });
            }
        }
    }
}

struct Chart {
    interval: CandleInterval,
    last: Vec<Probability>,
    buckets: Vec<PriceBucket>,
}

impl Chart {
    fn add(&mut self, point: PricePoint) {
        let start = self.interval.start_of(point.at);
        if self.buckets.last().is_none_or(|bucket| bucket.start != start) {
            let flat = |price: &Probability| OptionCandle {
                open: *price,
                high: *price,
                low: *price,
                close: *price,
            };
            let options = self.last.iter().map(flat).collect();
            self.buckets.push(PriceBucket { start, options, volume: Balance::ZERO, trades: 0 });
        }
        let Some(bucket) = self.buckets.last_mut() else { return };
        for (candle, price) in bucket.options.iter_mut().zip(&point.prices) {
            candle.high = if *price > candle.high { *price } else { candle.high };
            candle.low = if *price < candle.low { *price } else { candle.low };
            candle.close = *price;
        }
        bucket.volume =
            Balance::from_minor(bucket.volume.minor().saturating_add(point.volume.minor()));
        bucket.trades += 1;
        self.last = point.prices;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_s: i64, price: f64) -> PricePoint {
        let prices = [price, 1.0 - price].map(|p| Probability::new(p).unwrap()).to_vec();
        PricePoint {
            at: Timestamp::from_micros(at_s * 1_000_000),
            prices,
            volume: Balance::from_minor(5),
        }
    }

    #[test]
    fn window_has_at_most_thousand_intervals() {
        let check = |from: i64, to: i64, expected: Option<ChartWindowError>| {
            let [from, to] = [from, to].map(Timestamp::from_micros);
            let window = ChartWindow::new(CandleInterval::Minute, from, to);
            assert_eq!(window.err(), expected, "{from:?} {to:?}");
        };
        let longest = 1_000 * 60_000_000;
        check(0, 0, Some(ChartWindowError::Empty));
        check(1, 0, Some(ChartWindowError::Empty));
        check(0, 1, None);
        check(7, 7 + longest, None);
        check(7, 8 + longest, Some(ChartWindowError::TooLong));
        check(i64::MIN, i64::MAX, Some(ChartWindowError::TooLong));
    }

    #[test]
    fn candles_open_at_previous_close() {
        let last = point(0, 0.5).prices;
        let mut chart = Chart { interval: CandleInterval::Minute, last, buckets: Vec::new() };
        for (at_s, price) in [(3, 0.6), (59, 0.4), (61, 0.45), (600, 0.9)] {
            chart.add(point(at_s, price));
        }
        let candles: Vec<_> =
            chart.buckets.iter().filter_map(|bucket| bucket.options.first()).collect();
        let values: Vec<_> = candles
            .iter()
            .map(|c| [c.open, c.high, c.low, c.close].map(Probability::get))
            .collect();
        assert_eq!(values, [[0.5, 0.6, 0.4, 0.4], [0.4, 0.45, 0.4, 0.45], [0.45, 0.9, 0.45, 0.9]]);
        let starts: Vec<_> =
            chart.buckets.iter().map(|bucket| bucket.start.micros() / 1_000_000).collect();
        assert_eq!(starts, [0, 60, 600]);
        assert_eq!(chart.buckets.iter().map(|bucket| bucket.trades).collect::<Vec<_>>(), [2, 1, 1]);
    }
}
