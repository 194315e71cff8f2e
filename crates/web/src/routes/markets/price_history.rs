//! `GET /markets/{id}/prices`: returns the price history of a market.

use actix_web::web::Data;
use foretell_application::{
    CandleInterval, ChartWindow, ChartWindowError, OptionCandle, PriceBucket, PriceChart,
};
use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use garde::{Valid, Validate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::parsed::{Parsed, validated};
use crate::dto::probability::Rounded;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::extract::{Params, PathId, RequestContext, RequestDto};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, invalid};

/// Default number of intervals, without `from`.
const USUAL_INTERVALS: i64 = 100;

/// Interval and window of a price history: `?interval=1h&from=&to=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct ChartParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    interval: Option<Parsed<CandleInterval>>,
    #[garde(dive, custom(|_, context| self.check_length(context)))]
    #[param(value_type = Option<String>)]
    from: Option<Parsed<Timestamp>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    to: Option<Parsed<Timestamp>>,
}

impl RequestDto for ChartParams {
    type Input = ChartWindow;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> ChartWindow {
        validated(valid.window(context.now).and_then(Result::ok))
    }
}

impl ChartParams {
    /// Returns the window, or why it is none; `None` if one of its parts is invalid.
    fn window(&self, now: Timestamp) -> Option<Result<ChartWindow, ChartWindowError>> {
        let interval = valid_or(self.interval.as_ref(), CandleInterval::Hour)?;
        let to = valid_or(self.to.as_ref(), now)?;
        let from = valid_or(self.from.as_ref(), before(to, interval))?;
        Some(ChartWindow::new(interval, from, to))
    }

    /// Rule of the beginning: before the end, and not too many intervals.
    fn check_length(&self, context: &RequestContext) -> garde::Result {
        match self.window(context.now) {
            Some(Err(error)) => Err(invalid(FieldErrorCode::Range, error.to_string())),
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

/// Returns the value of a field, or its default; `None` if it is invalid.
fn valid_or<T: Copy>(field: Option<&Parsed<T>>, default: T) -> Option<T> {
    field.map_or(Some(default), |field| field.valid().copied())
}

fn before(to: Timestamp, interval: CandleInterval) -> Timestamp {
    Timestamp::from_micros(
        to.micros().saturating_sub(interval.micros().saturating_mul(USUAL_INTERVALS)),
    )
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
            let candle = |bucket: &PriceBucket| {
                Some(CandleView::new(bucket.start, bucket.options.get(index)?))
            };
            chart.buckets.iter().filter_map(candle).collect()
        };
        let options = chart.market.market.record().options.iter().enumerate();
        let volume = |bucket: &PriceBucket| VolumeView {
            start: Time(bucket.start),
            volume: Money::new(currency, bucket.volume.minor()),
            trades: bucket.trades,
        };
        Self {
            interval: name_of(window.interval()),
            from: Time(window.interval().start_of(window.from())),
            to: Time(window.to()),
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

/// Returns the price history of a market.
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
    let chart = state.application.trading.get_price_history(id, window).await?;
    reply::ok(ChartView::new(window, &chart, &state.application.settings().currency))
}
