//! Opens markets.

use foretell_domain::market::Listing;
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;
use crate::writer::{Command, MarketOpened, OpenMarket, Outcome, Receipt};

impl Application {
    /// Opens a market with a subsidy from the caller's account. `probabilities` has one entry an option.
    ///
    /// # Errors
    /// Those of the money writer; refusals are in the receipt.
    pub async fn open_market(
        &self,
        caller: &Caller,
        key: String,
        opening: MarketOpening,
    ) -> Result<Receipt<MarketOpened>, AppError> {
        let command = Command::OpenMarket(Box::new(OpenMarket {
            listing: opening.listing,
            probabilities: opening.probabilities,
            ends_at: opening.ends_at,
            subsidy: opening.subsidy,
            from: caller.account_id,
            fee_bps: self.settings.fee_bps,
            quotas: self.settings.quotas,
        }));
        let receipt = self.submit_once(caller, key, command).await;
        self.market_totals.forget();
        let receipt = receipt?;
        receipt.map(|outcome| match outcome {
            Outcome::MarketOpened(opened) => Some(*opened),
            _ => None,
        })
    }
}

/// What a creator says of a new market.
#[derive(Debug, Clone)]
pub struct MarketOpening {
    /// What people read of it; its category is one that the operator allows, which the edge has checked.
    pub listing: Listing,
    /// The options' initial probabilities: all or none.
    pub probabilities: Vec<Option<Probability>>,
    /// When it takes its last trade.
    pub ends_at: Timestamp,
    /// The most that it can lose.
    pub subsidy: Amount,
}
