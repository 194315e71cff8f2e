//! `GET /markets/{id}/positions`: who holds what in a market.

use std::future::ready;

use actix_web::web::Data;
use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{MarketRecord, Phase};
use foretell_domain::money::Currency;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_ports::market::PositionRow;
use foretell_ports::page::Page;
use serde::Serialize;

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::page::{PageParams, Paging};
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

/// Lists positions: in version 1 by option and then by shares, the most first; from version 2 on by holder.
/// 200, 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`.
pub(super) async fn list_positions(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<PageParams>,
) -> Answer {
    let (id, paging) = state.accept((id, params))?;
    let application = &state.application;
    let details = application.get_market(id).await?;
    let (mut rows, total) = match &paging {
        Paging::Page(page) => {
            let Page { rows, total } = application.page_positions(id, *page).await?;
            (rows, total)
        }
        Paging::Walk(walk) => (application.list_positions(id, walk.after(), walk.limit()).await?, 0),
    };
    let meta = paging.meta(&mut rows, PositionRow::key, ready(Ok(total))).await?;
    let (market, prices) = (details.market.record(), details.market.probabilities());
    let currency = &application.settings().currency;
    let body = |row| PositionView::new(row, &prices, market, currency);
    let rows: Option<Vec<_>> = rows.iter().map(body).collect();
    let rows = rows.ok_or_else(|| ApiError::internal("a position is in no option of its market"))?;
    reply::list(rows, meta)
}
