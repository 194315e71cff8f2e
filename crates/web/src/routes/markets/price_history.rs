//! `GET /markets/{id}/prices`: returns the price history of a market.

use actix_web::web::Data;
use foretell_application::{CandleInterval, MAX_INTERVALS, OptionCandle, PriceBucket, PriceChart};
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::probability::Rounded;
use crate::dto::text::Text;
use crate::dto::time::{Time, parse_time};
use crate::extract::{Params, ParseContext, ParseRequest, PathId};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Default number of intervals, without `from`.
const USUAL_INTERVALS: i64 = 100;

/// Interval and window of a price history: `?interval=1h&from=&to=`.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ChartParams {
    #[garde(skip)]
    interval: Option<String>,
    #[garde(skip)]
    from: Option<String>,
    #[garde(skip)]
    to: Option<String>,
}

/// Intervals to return.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChartWindow {
    interval: CandleInterval,
    from: Timestamp,
    to: Timestamp,
}

impl ParseRequest for ChartParams {
    type Input = ChartWindow;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<ChartWindow> {
        let interval = self.interval.as_deref().unwrap_or("1h");
        let interval = interval_named(interval, errors);
        let to = match self.to {
            Some(text) => errors.check("to", parse_time(&text)),
            None => Some(context.now),
        };
        let from = match self.from {
            Some(text) => errors.check("from", parse_time(&text)),
            None => to.zip(interval).map(|(to, interval)| before(to, interval)),
        };
        let window = ChartWindow { interval: interval?, from: from?, to: to? };
        window.check_length(errors);
        Some(window)
    }
}

impl ChartWindow {
    fn check_length(self, errors: &mut ValidationErrors) {
        let length = self.to.micros().saturating_sub(self.from.micros());
        if length <= 0 {
            errors.add("from", FieldErrorCode::Range, "must be before to");
        } else if length > self.interval.micros().saturating_mul(MAX_INTERVALS) {
            errors.add(
                "from",
                FieldErrorCode::Range,
                format!("must be at most {MAX_INTERVALS} intervals before to"),
            );
        }
    }
}

fn before(to: Timestamp, interval: CandleInterval) -> Timestamp {
    Timestamp::from_micros(to.micros().saturating_sub(interval.micros().saturating_mul(USUAL_INTERVALS)))
}

fn interval_named(name: &str, errors: &mut ValidationErrors) -> Option<CandleInterval> {
    match name {
        "1m" => Some(CandleInterval::Minute),
        "1h" => Some(CandleInterval::Hour),
        "1d" => Some(CandleInterval::Day),
        _ => {
            errors.add("interval", FieldErrorCode::Invalid, "must be 1m, 1h or 1d");
            None
        }
    }
}

const fn name_of(interval: CandleInterval) -> &'static str {
    match interval {
        CandleInterval::Minute => "1m",
        CandleInterval::Hour => "1h",
        CandleInterval::Day => "1d",
    }
}

/// Intervals of a window in which the market was traded, in order; intervals without trades are
/// left out. The prices of an interval belong to each option, its volume to the market.
#[derive(Debug, Serialize, ToSchema)]
struct ChartView {
    interval: &'static str,
    from: Time,
    to: Time,
    options: Vec<OptionChart>,
    volumes: Vec<VolumeView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OptionChart {
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    candles: Vec<CandleView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CandleView {
    start: Time,
    open: Rounded,
    high: Rounded,
    low: Rounded,
    close: Rounded,
}

#[derive(Debug, Serialize, ToSchema)]
struct VolumeView {
    start: Time,
    volume: Money,
    trades: u32,
}

impl ChartView {
    fn new(window: ChartWindow, chart: &PriceChart, currency: &Currency) -> Self {
        let candles = |index: usize| {
            let candle =
                |bucket: &PriceBucket| Some(CandleView::new(bucket.start, bucket.options.get(index)?));
            chart.buckets.iter().filter_map(candle).collect()
        };
        let options = chart.market.market.record().options.iter().enumerate();
        let volume = |bucket: &PriceBucket| VolumeView {
            start: Time(bucket.start),
            volume: Money::new(currency, bucket.volume.minor()),
            trades: bucket.trades,
        };
        Self {
            interval: name_of(window.interval),
            from: Time(window.interval.start_of(window.from)),
            to: Time(window.to),
            options: options
                .map(|(i, o)| OptionChart { option_id: Text(o.id), candles: candles(i) })
                .collect(),
            volumes: chart.buckets.iter().map(volume).collect(),
        }
    }
}

impl CandleView {
    const fn new(start: Timestamp, candle: &OptionCandle) -> Self {
        Self {
            start: Time(start),
            open: Rounded(candle.open),
            high: Rounded(candle.high),
            low: Rounded(candle.low),
            close: Rounded(candle.close),
        }
    }
}

/// Returns the price history of a market. 200, 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`.
#[utoipa::path(
    get,
    path = "/markets/{id}/prices",
    operation_id = "getPriceHistory",
    tag = "markets",
    params(ChartParams),
    responses((status = 200, description = "Done.", body = ChartView)),
)]
pub(super) async fn get_price_history(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<ChartParams>,
) -> HandlerResult {
    let (id, window) = state.validate((id, params))?;
    let ChartWindow { interval, from, to } = window;
    let chart = state.application.trading.get_price_history(id, interval, from, to).await?;
    reply::ok(ChartView::new(window, &chart, &state.application.settings().currency))
}
