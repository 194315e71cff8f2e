//! Edits: what may become different of a market while it trades.

use super::{Listing, Market, MarketError};
use crate::text::{MarketDescription, MarketName};
use crate::time::Timestamp;

/// What is to be different of a market; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketEdit {
    /// What it asks.
    pub name: Option<MarketName>,
    /// How it will be decided.
    pub description: Option<MarketDescription>,
    /// When it takes its last trade.
    pub ends_at: Option<Timestamp>,
}

impl Market {
    /// Changes a market that takes trades, together with its listing, and says whether anything is different.
    /// If so the market has a new version. Prices, shares and money stay as they are.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`] once it takes no more trades, [`MarketError::EndsInThePast`]; nothing has
    /// changed then.
    pub fn edit(
        &mut self,
        listing: &mut Listing,
        edit: MarketEdit,
        now: Timestamp,
    ) -> Result<bool, MarketError> {
        self.check_trading(now)?;
        let ends_at = edit.ends_at.unwrap_or(self.record.ends_at);
        if ends_at <= now {
            return Err(MarketError::EndsInThePast);
        }
        let name = edit.name.unwrap_or_else(|| listing.name.clone());
        let description = edit.description.unwrap_or_else(|| listing.description.clone());
        let is_different =
            ends_at != self.record.ends_at || name != listing.name || description != listing.description;
        if is_different {
            self.record.ends_at = ends_at;
            self.record.version += 1;
            (listing.name, listing.description) = (name, description);
        }
        Ok(is_different)
    }
}
