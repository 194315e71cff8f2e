//! Deletes markets that nobody has bet in.

use foretell_domain::id::MarketId;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;
use crate::writer::{Command, Outcome};

impl Application {
    /// Deletes a market with the comments on it, and gives its subsidy back to its creator. For its creator,
    /// moderators and admins. It has no key: a repetition finds no market, also where the first attempt was done
    /// but its answer was lost.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, `NotTheCreator`, `HasBets` or `AlreadyDecided`; those of the money
    /// writer.
    pub async fn delete_market(&self, caller: &Caller, market: MarketId) -> Result<(), AppError> {
        let receipt = self.writer.submit(caller, Command::Delete(market)).await;
        self.forget_if_unauthorized(caller, &receipt);
        self.market_totals.forget();
        match receipt?.result? {
            Outcome::MarketDeleted => {
                self.market_pages.forget(market);
                Ok(())
            }
            _ => Err(AppError::Internal("a deletion came to another outcome")),
        }
    }
}
