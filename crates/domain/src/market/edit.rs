//! Edits: the changes that a market allows while it trades.

use std::time::Duration;

use super::{Market, MarketError, MarketTexts};
use crate::policy::{self, Actor};
use crate::text::{MarketDescription, MarketName};
use crate::time::Timestamp;

/// Longest time by which those who have a part in a market may put off its end, counted from the
/// end date of its opening.
pub const MAX_POSTPONEMENT: Duration = Duration::from_hours(90 * 24);

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

/// Who has money in a market. Shares that were sold again count too: their profit came from the
/// question as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakes {
    /// `true` if the actor holds or has held shares.
    pub of_actor: bool,
    /// `true` if anyone but the market's creator holds or has held shares.
    pub of_others: bool,
}

/// What an actor may change in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditRight {
    /// Everything.
    Full,
    /// Only the end date, until this time: users have bet on the question as it is.
    EndDate {
        /// Latest end date.
        latest: Timestamp,
    },
}

impl EditRight {
    /// Returns the right of an actor who may manage the market, whose first end date was
    /// `opened_until`. Once users have bet, only staff without a part in the market may change
    /// what they have bet on.
    pub fn of(actor: Actor, market: &Market, stakes: Stakes, opened_until: Timestamp) -> Self {
        let is_uninvolved =
            policy::is_uninvolved_staff(actor, market.record.creator_id, stakes.of_actor);
        if is_uninvolved || !stakes.of_others {
            return Self::Full;
        }
        // Staff may have put off the end further: this must not force others to bring it forward.
        Self::EndDate { latest: opened_until.plus(MAX_POSTPONEMENT).max(market.record.ends_at) }
    }
}

impl Market {
    /// Changes an open market and its texts. Returns `true`, and increments the version and the
    /// revision, if anything is different. Prices, shares and money do not change.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`] if it takes no more trades, [`MarketError::EndsInThePast`],
    /// and [`MarketError::QuestionFrozen`] or [`MarketError::EndsTooLate`] without the right. On an
    /// error nothing changes.
    pub fn edit(
        &mut self,
        texts: &mut MarketTexts,
        edit: MarketEdit,
        right: EditRight,
        now: Timestamp,
    ) -> Result<bool, MarketError> {
        self.check_trading(now)?;
        let ends_at = edit.ends_at.unwrap_or(self.record.ends_at);
        if ends_at <= now {
            return Err(MarketError::EndsInThePast);
        }
        let name = edit.name.unwrap_or_else(|| texts.name.clone());
        let description = edit.description.unwrap_or_else(|| texts.description.clone());
        let is_other_question = name != texts.name || description != texts.description;
        if let EditRight::EndDate { latest } = right {
            if is_other_question {
                return Err(MarketError::QuestionFrozen);
            }
            if ends_at > latest {
                return Err(MarketError::EndsTooLate { latest });
            }
        }
        let is_different = is_other_question || ends_at != self.record.ends_at;
        if is_different {
            self.record.ends_at = ends_at;
            self.record.revision += 1;
            self.record.version += 1;
            (texts.name, texts.description) = (name, description);
        }
        Ok(is_different)
    }
}
