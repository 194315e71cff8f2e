//! Pays the holders of resolved and cancelled markets, set by set, resumes interrupted settlements,
//! and lets undisputed proposals take effect.

use foretell_domain::id::MarketId;
use foretell_ports::error::Chain;

use super::Markets;
use crate::error::AppError;
use crate::principal::Principal;
use crate::writer::{ApplyProposal, SettleMarket};

/// Number of sets paid within the request that decides the market.
pub(super) const SETS_IN_REQUEST: usize = 10;
/// Number of sets of one market paid before the next market has its turn.
const SETS_IN_TURN: usize = 20;
/// Number of unsettled markets in one query.
const MARKETS_IN_SWEEP: u32 = 100;

impl Markets {
    /// Pays or takes back at most `sets` sets of a decided market. Returns `true` if nothing is left
    /// to do.
    pub(super) async fn settle(&self, market: MarketId, sets: usize) -> Result<bool, AppError> {
        // A step moves only money that the decision has fixed, so no permission is needed.
        for _ in 0..sets {
            let receipt =
                self.context.writer.submit(Principal::System, SettleMarket(market)).await?;
            if receipt.result? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the proposals take effect whose challenge time has passed without a dispute. A proposal
    /// that fails does not block the others, and is retried in the next pass.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn apply_due_proposals(&self) -> Result<(), AppError> {
        let now = self.context.now();
        for market in self.queries.list_due_proposals(now, MARKETS_IN_SWEEP).await? {
            if let Err(error) = self.apply_proposal(market).await {
                tracing::error!(
                    error = %Chain(&error), market_id = %market,
                    "proposed resolution failed, retrying in the next pass"
                );
            }
        }
        Ok(())
    }

    async fn apply_proposal(&self, market: MarketId) -> Result<(), AppError> {
        // Time has decided, not a user.
        let receipt = self.context.writer.submit(Principal::System, ApplyProposal(market)).await;
        self.totals.forget();
        // Otherwise it was disputed, decided or withdrawn meanwhile.
        if let Ok(state) = receipt?.result {
            self.cache.invalidate_below(market, state.record.version);
            tracing::info!(market_id = %market, "a proposed resolution took effect");
        }
        Ok(())
    }

    /// Makes one pass over all unsettled markets. Returns `true` if any has more holders to pay. A
    /// market that fails does not block the others, and is retried in the next pass.
    pub(super) async fn sweep_settlements(&self) -> Result<bool, AppError> {
        self.apply_due_proposals().await?;
        let (mut after, mut is_more) = (None, false);
        loop {
            let markets = self.queries.list_unsettled(after, MARKETS_IN_SWEEP).await?;
            let Some(last) = markets.last().copied() else { return Ok(is_more) };
            for market in markets {
                match self.settle(market, SETS_IN_TURN).await {
                    Ok(is_complete) => is_more |= !is_complete,
                    Err(error) => {
                        tracing::error!(
                            error = %Chain(&error), market_id = %market,
                            "settlement failed, retrying in the next pass"
                        );
                    }
                }
            }
            after = Some(last);
        }
    }
}
