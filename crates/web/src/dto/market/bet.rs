//! Response types of bets and sales.

use foretell_application::Quote;
use foretell_application::writer::TradeReceipt;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, OptionId, TransferId, UserId};
use foretell_domain::market::{Bet, Fill, TradeSide};
use foretell_domain::money::Currency;
use foretell_domain::probability::Probability;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::dto::money::Money;
use crate::dto::probability::Rounded;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::openapi::names::{Id, SideName};

/// Number of millionths in one: the precision of an average price.
const MILLION: i128 = 1_000_000;

/// A bet or sale. Only its trader sees the client id, account, transfer and balance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BetView<'a> {
    #[schema(value_type = Id)]
    id: Text<BetId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    client_id: Option<Text<ClientId>>,
    #[schema(value_type = Id)]
    market_id: Text<MarketId>,
    #[schema(value_type = Id)]
    user_id: Text<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    account_id: Option<Text<AccountId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    transfer_id: Option<Text<TransferId>>,
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    #[schema(value_type = SideName)]
    side: &'static str,
    amount: Money,
    fee: Money,
    shares: Money,
    #[schema(value_type = f64)]
    average_price: AveragePrice,
    price_before: Rounded,
    price_after: Rounded,
    /// Prices of every option, in the order of the market's options.
    #[schema(value_type = Vec<Rounded>)]
    prices_before: Prices<'a>,
    #[schema(value_type = Vec<Rounded>)]
    prices_after: Prices<'a>,
    sequence: i64,
    market_version: i64,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Money>,
}

impl<'a> BetView<'a> {
    /// Creates the response with the public fields.
    pub(crate) fn public(bet: &'a Bet, currency: &Currency) -> Self {
        let fill = &bet.fill;
        Self {
            id: Text(bet.id),
            client_id: None,
            market_id: Text(bet.market_id),
            user_id: Text(bet.user_id),
            account_id: None,
            transfer_id: None,
            option_id: Text(bet.option_id),
            side: fill.side.as_str(),
            amount: Money::new(currency, fill.cash.minor()),
            fee: Money::new(currency, fill.fee.minor()),
            shares: Money::new(currency, fill.shares.units()),
            average_price: AveragePrice::of(fill),
            price_before: price_of_traded(fill, &fill.prices_before),
            price_after: price_of_traded(fill, &fill.prices_after),
            prices_before: Prices(&fill.prices_before),
            prices_after: Prices(&fill.prices_after),
            sequence: fill.sequence,
            market_version: fill.market_version,
            created_at: Time(bet.created_at),
            balance: None,
        }
    }

    /// Creates the response with the fields that the trader may see later.
    pub(crate) fn of_trader(bet: &'a Bet, currency: &Currency) -> Self {
        Self {
            client_id: bet.client_id.map(Text),
            account_id: Some(Text(bet.account_id)),
            transfer_id: Some(Text(bet.transfer_id)),
            ..Self::public(bet, currency)
        }
    }

    /// Creates the response that the trader gets when the bet is made.
    pub(crate) fn own(traded: &'a TradeReceipt, currency: &Currency) -> Self {
        Self {
            balance: Some(Money::new(currency, traded.balance.minor())),
            ..Self::of_trader(&traded.bet, currency)
        }
    }
}

/// Result of an order at one version of a market.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteView {
    #[schema(value_type = Id)]
    option_id: Text<OptionId>,
    #[schema(value_type = SideName)]
    side: &'static str,
    amount: Money,
    shares: Money,
    fee: Money,
    #[schema(value_type = f64)]
    average_price: AveragePrice,
    price_before: Rounded,
    price_after: Rounded,
    market_version: i64,
}

impl QuoteView {
    /// Creates the response from a quote.
    pub(crate) fn new(quote: &Quote, currency: &Currency) -> Self {
        let fill = &quote.fill;
        Self {
            option_id: Text(quote.option_id),
            side: fill.side.as_str(),
            amount: Money::new(currency, fill.cash.minor()),
            shares: Money::new(currency, fill.shares.units()),
            fee: Money::new(currency, fill.fee.minor()),
            average_price: AveragePrice::of(fill),
            price_before: price_of_traded(fill, &fill.prices_before),
            price_after: price_of_traded(fill, &fill.prices_after),
            market_version: quote.market_version,
        }
    }
}

fn price_of_traded(fill: &Fill, prices: &[Probability]) -> Rounded {
    Rounded(prices.get(fill.option_index).copied().unwrap_or_default())
}

/// Probabilities of all options, written as an array.
#[derive(Debug, Clone, Copy)]
struct Prices<'a>(&'a [Probability]);

impl Serialize for Prices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|price| Rounded(*price)))
    }
}

/// Money per share, in millionths, rounded against the trader: an order whose `maxPrice` is the
/// quoted average price is not rejected because of digits that the quote left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AveragePrice {
    millionths: i64,
}

impl AveragePrice {
    fn of(fill: &Fill) -> Self {
        let (money, shares) =
            (i128::from(fill.cash.minor()), i128::from(fill.shares.units().max(1)));
        let millionths = match fill.side {
            TradeSide::Buy => (money * MILLION + shares - 1) / shares,
            TradeSide::Sell => money * MILLION / shares,
        };
        Self { millionths: i64::try_from(millionths).unwrap_or(i64::MAX) }
    }
}

impl Serialize for AveragePrice {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a price to look at, not money; exact below 2^53"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.millionths as f64 / MILLION as f64)
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::market::FillRecord;
    use foretell_domain::money::{Amount, Balance};
    use foretell_domain::shares::Shares;

    use super::*;

    fn check(side: TradeSide, cash: i64, shares: i64, expected: &str) {
        let fill = Fill::restore(FillRecord {
            option_index: 0,
            side,
            cash: Amount::new(cash).unwrap(),
            fee: Balance::ZERO,
            shares: Shares::new(shares).unwrap(),
            prices_before: vec![Probability::default()],
            prices_after: vec![Probability::default()],
            sequence: 1,
            market_version: 2,
        })
        .unwrap();
        let written = serde_json::to_string(&AveragePrice::of(&fill)).unwrap();
        assert_eq!(written, expected, "{side:?} {shares} for {cash}");
        if side == TradeSide::Buy {
            assert!(
                written.parse::<f64>().unwrap() >= fill.average_price(),
                "the quote is a limit that holds"
            );
        }
    }

    #[test]
    fn average_prices_are_rounded_against_trader() {
        check(TradeSide::Buy, 1, 3, "0.333334");
        check(TradeSide::Sell, 1, 3, "0.333333");
        check(TradeSide::Buy, 7, 100, "0.07");
        check(TradeSide::Sell, 7, 100, "0.07");
        check(TradeSide::Buy, 101, 100, "1.01");
        check(TradeSide::Buy, i64::MAX, i64::MAX, "1.0");
        check(TradeSide::Buy, 1, i64::MAX, "1e-6");
        check(TradeSide::Sell, 1, i64::MAX, "0.0");
    }
}
