//! Response types of positions: those in one market, and those of one trader.

use foretell_application::RelatedToPositions;
use foretell_domain::id::{MarketId, OptionId, UserId};
use foretell_domain::market::{MarketRecord, Phase};
use foretell_domain::money::Currency;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_ports::market::PositionRow;
use foretell_ports::portfolio::HeldPosition;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dto::money::Money;
use crate::dto::probability::Rounded;
use crate::dto::text::Text;
use crate::openapi::names::{Id, PhaseName};

/// Position of one trader in one option.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PositionView {
    #[schema(value_type = Id)]
    user_id: Text<UserId>,
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    shares: Money,
    spent: Money,
    received: Money,
    /// Value of the shares at the current price, rounded down; `null` once the market is decided,
    /// because it then has no price, and the settlement has the payments.
    value: Option<Money>,
}

impl PositionView {
    /// Creates the response for a position in a market with these prices; `None` if the market has
    /// no such option.
    pub(crate) fn new(
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

/// Returns the value of shares at the price that clients see, in minor units, rounded down.
#[expect(clippy::cast_possible_truncation, reason = "a probability has 0 to 1,000,000 millionths")]
fn value_at(price: Probability, shares: Shares) -> i128 {
    let millionths = (price.get() * 1e6).round() as i64;
    i128::from(shares.units()) * i128::from(millionths) / 1_000_000
}

/// Position of the caller in one option of one market, and its profit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnPositionView<'a> {
    #[schema(value_type = Id)]
    market_id: Text<MarketId>,
    market_name: &'a str,
    #[schema(value_type = PhaseName)]
    market_status: &'static str,
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    option_name: &'a str,
    shares: Money,
    /// Current price and value of the shares, rounded down; `null` once the market is decided.
    price: Option<Rounded>,
    value: Option<Money>,
    /// Payout of the shares; `null` before the resolution, and in a cancelled market.
    payout: Option<Money>,
    /// Money paid for the position, and proceeds of its sales.
    cost: Money,
    proceeds: Money,
    /// Proceeds with value or payout, less the cost; `null` in a cancelled market, which refunds
    /// stakes instead.
    profit: Option<Money>,
}

/// Time and currency for showing positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// Time.
    pub(crate) now: Timestamp,
    /// Currency.
    pub(crate) currency: &'a Currency,
}

impl<'a> OwnPositionView<'a> {
    /// Creates the response for a position with its market; `None` if the market was deleted or has
    /// no such option.
    pub(crate) fn new(
        held: &HeldPosition,
        related: &'a RelatedToPositions,
        Shown { now, currency }: Shown<'_>,
    ) -> Option<Self> {
        let details = related.markets.get(&held.market_id)?;
        let (market, index, position) = (&details.market, held.option_index, &held.position);
        let money = |minor: i128| Money::new(currency, minor);
        let is_priced = matches!(market.record().phase, Phase::Open | Phase::Closed);
        let price = market.probabilities().get(index).copied().filter(|_| is_priced);
        let value = price.map(|price| value_at(price, position.shares));
        let payouts = related.payouts.get(&held.market_id);
        let payout =
            payouts.and_then(|payouts| payouts.get(index)).map(|payout| i128::from(payout.minor()));
        let (cost, proceeds) =
            (i128::from(position.spent.minor()), i128::from(position.received.minor()));
        Some(Self {
            market_id: Text(held.market_id),
            market_name: details.texts.name.as_str(),
            market_status: market.phase_at(now).as_str(),
            option_id: Text(market.record().options.get(index)?.id),
            option_name: details.texts.options().get(index)?.as_str(),
            shares: money(position.shares.units().into()),
            price: price.map(Rounded),
            value: value.map(money),
            payout: payout.map(money),
            cost: money(cost),
            proceeds: money(proceeds),
            profit: value.or(payout).map(|worth| money(proceeds + worth - cost)),
        })
    }
}
