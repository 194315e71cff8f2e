//! Edits: the changes that a market allows while it trades.

use super::{Market, MarketError, MarketTexts};
use crate::text::{MarketDescription, MarketName};
use crate::time::Timestamp;

/// Requested changes of a market; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketEdit {
    /// New question.
    pub name: Option<MarketName>,
    /// New resolution rules.
    pub description: Option<MarketDescription>,
    /// New end date.
    pub ends_at: Option<Timestamp>,
}

impl Market {
    /// Changes an open market and its texts. Returns `true`, and increments the version, if
    /// anything is different. Prices, shares and money do not change.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`] if it takes no more trades, [`MarketError::EndsInThePast`]. On
    /// an error nothing changes.
    pub fn edit(
        &mut self,
        texts: &mut MarketTexts,
        edit: MarketEdit,
        now: Timestamp,
    ) -> Result<bool, MarketError> {
        self.check_trading(now)?;
        let ends_at = edit.ends_at.unwrap_or(self.record.ends_at);
        if ends_at <= now {
            return Err(MarketError::EndsInThePast);
        }
        let name = edit.name.unwrap_or_else(|| texts.name.clone());
        let description = edit.description.unwrap_or_else(|| texts.description.clone());
        let is_different = ends_at != self.record.ends_at
            || name != texts.name
            || description != texts.description;
        if is_different {
            self.record.ends_at = ends_at;
            self.record.version += 1;
            (texts.name, texts.description) = (name, description);
        }
        Ok(is_different)
    }
}
