//! Bets and sales.

use foretell_domain::id::{ClientId, MarketId};
use foretell_domain::market::{BuyOrder, SellOrder};

use super::Trading;
use crate::Caller;
use crate::error::AppError;
use crate::writer::{PlaceBet, Receipt, SellShares, TradeReceipt, TypedCommand};

/// Market and client id of a bet.
#[derive(Debug, Clone, Copy)]
pub struct TradeTarget {
    /// The market.
    pub market_id: MarketId,
    /// Identifier that the client chose for the bet.
    pub client_id: Option<ClientId>,
}

impl Trading {
    /// Buys shares with money of the caller's account.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn place_bet(
        &self,
        caller: &Caller,
        key: String,
        target: TradeTarget,
        order: BuyOrder,
    ) -> Result<Receipt<TradeReceipt>, AppError> {
        let TradeTarget { market_id, client_id } = target;
        let bet = PlaceBet { client_id, market_id, account_id: caller.account_id, order };
        self.trade(caller, key, bet).await
    }

    /// Sells shares of the caller's account.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn sell_shares(
        &self,
        caller: &Caller,
        key: String,
        target: TradeTarget,
        order: SellOrder,
    ) -> Result<Receipt<TradeReceipt>, AppError> {
        let TradeTarget { market_id, client_id } = target;
        let sale = SellShares { client_id, market_id, account_id: caller.account_id, order };
        self.trade(caller, key, sale).await
    }

    async fn trade(
        &self,
        caller: &Caller,
        key: String,
        command: impl TypedCommand<Output = TradeReceipt>,
    ) -> Result<Receipt<TradeReceipt>, AppError> {
        let receipt = self.context.submit_once(caller, key, command).await?;
        if let Ok(TradeReceipt { bet, .. }) = &receipt.result {
            self.market_cache.invalidate_below(bet.market_id, bet.fill.market_version);
        }
        Ok(receipt)
    }
}
