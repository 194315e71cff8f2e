//! Closes, resolves and cancels markets, and settles small ones immediately.

use foretell_domain::id::MarketId;
use foretell_ports::error::Chain;

use super::Markets;
use super::settle_markets::SETS_IN_REQUEST;
use crate::Caller;
use crate::error::AppError;
use crate::writer::{CloseMarket, DecideMarket, Decision, MarketState, Receipt, TypedCommand};

impl Markets {
    /// Ends the trading of a market. For its creator, moderators and admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn close_market(
        &self,
        caller: &Caller,
        key: String,
        market: MarketId,
    ) -> Result<Receipt<MarketState>, AppError> {
        self.change_market(caller, key, CloseMarket(market)).await
    }

    /// Resolves or cancels a market and pays its holders: some thousands before this returns, the
    /// others by the [`SettlementRunner`](crate::SettlementRunner). For its creator, moderators and
    /// admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn decide_market(
        &self,
        caller: &Caller,
        key: String,
        market: MarketId,
        decision: Decision,
    ) -> Result<Receipt<MarketState>, AppError> {
        let receipt = self.change_market(caller, key, DecideMarket(market, decision)).await?;
        if receipt.result.is_ok() {
            // The decision is already committed; the settlement runner resumes where this stops.
            if let Err(error) = self.settle(market, SETS_IN_REQUEST).await {
                tracing::warn!(
                    error = %Chain(&error), market_id = %market,
                    "settlement interrupted, resuming in the background"
                );
            }
        }
        Ok(receipt)
    }

    async fn change_market(
        &self,
        caller: &Caller,
        key: String,
        command: impl TypedCommand<Output = MarketState>,
    ) -> Result<Receipt<MarketState>, AppError> {
        let receipt = self.context.submit_once(caller, key, command).await;
        self.totals.forget();
        let receipt = receipt?;
        if let Ok(state) = &receipt.result {
            self.cache.invalidate_below(state.record.id, state.record.version);
        }
        Ok(receipt)
    }
}
