//! Deletes markets without bets.

use foretell_domain::id::MarketId;

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::writer::DeleteMarket;

impl Markets {
    /// Deletes a market with its comments, and refunds the subsidy to its creator. For its creator,
    /// moderators and admins. It needs no idempotency key: a repetition finds no market, also if
    /// the first attempt succeeded but its response was lost.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator`, `HasBets` or `AlreadyDecided`; the
    /// errors of the money writer.
    pub async fn delete_market(&self, caller: &Caller, market: MarketId) -> Result<(), AppError> {
        let receipt = self.context.writer.submit(caller, DeleteMarket(market)).await;
        self.context.forget_if_unauthorized(caller, &receipt);
        self.totals.forget();
        receipt?.result?;
        self.cache.forget(market);
        Ok(())
    }
}
