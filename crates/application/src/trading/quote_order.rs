//! Quotes: the result of an order without executing it.

use foretell_domain::id::{MarketId, OptionId};
use foretell_domain::market::{BuyOrder, Fill, Market, MarketError, Quantity, SellOrder};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;

use super::Trading;
use crate::error::AppError;

/// Order to quote.
#[derive(Debug, Clone, Copy)]
pub enum QuoteRequest {
    /// Shares for this much money, fee included.
    BuyFor(OptionId, Amount),
    /// At least these shares.
    BuyShares(OptionId, Shares),
    /// Money for these shares.
    SellShares(OptionId, Shares),
}

/// Result of an order at one version of a market.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The option.
    pub option_id: OptionId,
    /// Result of the order.
    pub fill: Fill,
    /// Version of the market for which it is valid.
    pub market_version: i64,
}

impl Trading {
    /// Quotes an order. A bet at the quoted version gets exactly this result.
    ///
    /// # Errors
    /// [`AppError::Refused`] as for the order itself, slippage aside; [`AppError::Store`].
    pub async fn quote_order(
        &self,
        market: MarketId,
        request: QuoteRequest,
    ) -> Result<Quote, AppError> {
        let found = self.markets.find_market(market).await?;
        let details = found.ok_or(MarketError::NotFound(market))?;
        let fill = price(&details.market, request, details.pot, self.context.now())?;
        let option_id = match request {
            QuoteRequest::BuyFor(id, _)
            | QuoteRequest::BuyShares(id, _)
            | QuoteRequest::SellShares(id, _) => id,
        };
        Ok(Quote { option_id, fill, market_version: details.market.record().version })
    }
}

fn price(
    market: &Market,
    request: QuoteRequest,
    pot: Balance,
    now: Timestamp,
) -> Result<Fill, MarketError> {
    let buy = |option_id, amount| {
        market.price_buy(
            &BuyOrder { option_id, amount, min_shares: None, max_price: None },
            pot,
            now,
        )
    };
    match request {
        QuoteRequest::BuyFor(option, amount) => buy(option, amount),
        QuoteRequest::BuyShares(option, shares) => buy(option, market.amount_for(option, shares)?),
        QuoteRequest::SellShares(option_id, shares) => {
            let order =
                SellOrder { option_id, quantity: Quantity::Shares(shares), min_proceeds: None };
            market.price_sell(&order, shares, pot, now)
        }
    }
}
