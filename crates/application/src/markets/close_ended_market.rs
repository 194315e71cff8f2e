//! Closes markets whose end date has passed.

use foretell_domain::id::MarketId;
use foretell_domain::market::Phase;
use foretell_domain::time::Timestamp;

use super::Markets;
use crate::error::AppError;
use crate::principal::Principal;
use crate::writer::CloseEnded;

impl Markets {
    /// Closes a market whose end date has passed. Returns the end date of an open market that ends
    /// later: its job was retried early.
    pub(crate) async fn close_ended_market(
        &self,
        id: MarketId,
    ) -> Result<Option<Timestamp>, AppError> {
        let found = self.queries.find_market(id).await?;
        let record = found.as_ref().map(|details| details.market.record());
        let Some(record) = record.filter(|record| record.phase == Phase::Open) else {
            return Ok(None);
        };
        if record.ends_at > self.context.now() {
            return Ok(Some(record.ends_at));
        }
        // The end date has decided, not a user.
        let receipt = self.context.writer.submit(Principal::System, CloseEnded(id)).await?;
        self.totals.forget();
        // Otherwise the market was closed, decided or deleted meanwhile, or its end date and the
        // job were moved.
        if let Ok(state) = receipt.result {
            self.cache.invalidate_below(id, state.record.version);
            tracing::info!(market_id = %id, "closed a market at its end date");
        }
        Ok(None)
    }
}
