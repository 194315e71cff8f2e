//! Closes, resolves and cancels markets, settles small ones immediately, and undoes settlements.

use foretell_domain::id::MarketId;
use foretell_domain::market::{Evidence, Resolution};
use foretell_domain::scope::Scope;
use foretell_domain::text::Reason;
use foretell_ports::error::Chain;

use super::Markets;
use super::settle_markets::SETS_IN_REQUEST;
use crate::Caller;
use crate::error::AppError;
use crate::writer::{
    CloseMarket, DecideMarket, Decided, Decision, MarketState, Receipt, TypedCommand,
    UndoSettlement,
};

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
    /// admins; it is only a proposal if they have a part in the market, or their credential allows
    /// only proposals. Staff without a part in it decide about a proposal.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn decide_market(
        &self,
        caller: &Caller,
        key: String,
        market: MarketId,
        decision: Decision,
        evidence: Evidence,
    ) -> Result<Receipt<Decided>, AppError> {
        let command = DecideMarket {
            market_id: market,
            decision,
            evidence,
            is_propose_only: !caller.scopes().contains(Scope::Trade),
        };
        let receipt = self.context.submit_once(caller, key, command).await;
        self.totals.forget();
        let receipt = receipt?;
        match &receipt.result {
            Ok(Decided::Now(state)) => {
                self.cache.invalidate_below(market, state.record.version);
                self.begin_settling(market).await;
            }
            // It has closed the market.
            Ok(Decided::Proposed(_)) => self.cache.forget(market),
            Err(_) => {}
        }
        Ok(receipt)
    }

    /// Undoes the settlement of a market: all payments go back into its pot, and what recipients no
    /// longer have is covered by the treasury and recorded as their debt. Some thousands are taken
    /// back before this returns, the others in the background; then the market is closed, and can
    /// be decided again. For admins.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn undo_settlement(
        &self,
        caller: &Caller,
        key: String,
        market: MarketId,
        reason: Reason,
    ) -> Result<Receipt<Resolution>, AppError> {
        let command = UndoSettlement { market_id: market, reason };
        let receipt = self.context.submit_once(caller, key, command).await?;
        if receipt.result.is_ok() {
            self.begin_settling(market).await;
            self.totals.forget();
            self.cache.forget(market);
        }
        Ok(receipt)
    }

    /// Makes the first steps of a settlement, or of its undoing, that is already committed.
    async fn begin_settling(&self, market: MarketId) {
        if let Err(error) = self.settle(market, SETS_IN_REQUEST).await {
            tracing::warn!(
                error = %Chain(&error), market_id = %market,
                "settlement interrupted, resuming in the background"
            );
        }
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
