//! Creates markets.

use foretell_domain::market::MarketTexts;
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::writer::{MarketOpened, OpenMarket, Receipt};

impl Markets {
    /// Creates a market with a subsidy from the caller's account. `probabilities` has one entry for
    /// each option.
    ///
    /// # Errors
    /// The errors of the money writer; domain errors are in the receipt.
    pub async fn open_market(
        &self,
        caller: &Caller,
        key: String,
        opening: MarketOpening,
    ) -> Result<Receipt<MarketOpened>, AppError> {
        let command = OpenMarket {
            texts: opening.texts,
            probabilities: opening.probabilities,
            ends_at: opening.ends_at,
            subsidy: opening.subsidy,
            from: caller.account_id,
            fee_bps: self.settings.fee_bps,
            quotas: self.settings.quotas,
        };
        let receipt = self.context.submit_once(caller, key, command).await;
        self.totals.forget();
        receipt
    }
}

/// Data of a new market.
#[derive(Debug, Clone)]
pub struct MarketOpening {
    /// Texts of the market; the caller has checked that the category is allowed.
    pub texts: MarketTexts,
    /// Initial probabilities of the options: all or none.
    pub probabilities: Vec<Option<Probability>>,
    /// End date.
    pub ends_at: Timestamp,
    /// Maximum loss of the market.
    pub subsidy: Amount,
}
