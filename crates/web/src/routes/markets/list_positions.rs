//! `GET /markets/{id}/positions`: who holds what in a market.

use actix_web::web::Data;
use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{MarketRecord, Phase};
use foretell_domain::money::Currency;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_ports::market::PositionRow;
use serde::Serialize;

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::page::PageParams;
use crate::dto::text::Text;
use crate::error::ApiError;
use crate::extract::{Params, PathId};
use crate::reply::{self, Answer};

/// What one trader holds of one option.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PositionView {
    user_id: Text<UserId>,
    option_id: Text<OptionId>,
    shares: Money,
    spent: Money,
    received: Money,
    /// What the shares are worth at the current price, rounded down; `null` once the market is decided,
    /// when there is no price any more and the settlement tells what was paid.
    value: Option<Money>,
}

impl PositionView {
    fn new(
        row: &PositionRow,
        prices: &[Probability],
        market: &MarketRecord,
        currency: &Currency,
    ) -> Option<Self> {
        let price = prices.get(row.option_index)?;
        let is_priced = matches!(market.phase, Phase::Open | Phase::Closed);
        let position = &row.position;
        Some(Self {
            user_id: Text(row.user_id),
            option_id: Text(market.options.get(row.option_index)?.id),
            shares: Money::new(currency, position.shares.units()),
            spent: Money::new(currency, position.spent.minor()),
            received: Money::new(currency, position.received.minor()),
            value: is_priced.then(|| Money::new(currency, value_at(*price, position.shares))),
        })
    }
}

/// What shares are worth at the price that clients see, in minor units, rounded down.
#[expect(clippy::cast_possible_truncation, reason = "a probability has 0 to 1,000,000 millionths")]
fn value_at(price: Probability, shares: Shares) -> i128 {
    let millionths = (price.get() * 1e6).round() as i64;
    i128::from(shares.units()) * i128::from(millionths) / 1_000_000
}

/// Lists positions, by option and then by shares, the most first. 200, 400 `VALIDATION_ERROR`,
/// 404 `NOT_FOUND`.
pub(super) async fn list_positions(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<PageParams>,
) -> Answer {
    let (id, page) = state.accept((id, params))?;
    let (details, found) = state.application.list_positions(id, page).await?;
    let (market, prices) = (details.market.record(), details.market.probabilities());
    let currency = &state.application.settings().currency;
    let body = |row| PositionView::new(row, &prices, market, currency);
    let rows: Option<Vec<_>> = found.rows.iter().map(body).collect();
    let rows = rows.ok_or_else(|| ApiError::internal("a position is in no option of its market"))?;
    reply::page(rows, page, found.total)
}
