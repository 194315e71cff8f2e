//! Revisions: the public history of what a market asks and when it ends.

use super::{Market, MarketError, MarketTexts, Phase};
use crate::id::{MarketId, UserId};
use crate::text::{Clarification, MarketDescription, MarketName};
use crate::time::Timestamp;

/// Kind of change that made a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum RevisionKind {
    /// The market was opened.
    Opened,
    /// Its question, resolution rules or end date were changed.
    Edited,
    /// A clarification was added.
    Clarified,
}

impl RevisionKind {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Edited => "edited",
            Self::Clarified => "clarified",
        }
    }
}

/// One revision of a market, as it was right after the change: an immutable row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketRevision {
    /// The market.
    pub market_id: MarketId,
    /// Number in the market: the opening is 1, without gaps.
    pub number: i64,
    /// User who made the change.
    pub author_id: UserId,
    /// Question.
    pub name: MarketName,
    /// Resolution rules.
    pub description: MarketDescription,
    /// End date.
    pub ends_at: Timestamp,
    /// Clarification that this revision has added.
    pub clarification: Option<Clarification>,
    /// Time of the change.
    pub created_at: Timestamp,
}

impl MarketRevision {
    /// Creates the newest revision of a market from its present state.
    pub fn of(market: &Market, texts: &MarketTexts, author_id: UserId, at: Timestamp) -> Self {
        let record = market.record();
        Self {
            market_id: record.id,
            number: record.revision,
            author_id,
            name: texts.name.clone(),
            description: texts.description.clone(),
            ends_at: record.ends_at,
            clarification: None,
            created_at: at,
        }
    }

    /// Returns the kind of the change.
    pub const fn kind(&self) -> RevisionKind {
        match (self.number, &self.clarification) {
            (_, Some(_)) => RevisionKind::Clarified,
            (1, None) => RevisionKind::Opened,
            _ => RevisionKind::Edited,
        }
    }
}

impl Market {
    /// Counts a new clarification, which is allowed until the market is decided: the money of a
    /// decided market no longer depends on its texts.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`].
    pub fn clarify(&mut self) -> Result<(), MarketError> {
        match self.record.phase {
            Phase::Open | Phase::Closed => {
                self.record.revision += 1;
                self.record.version += 1;
                Ok(())
            }
            phase => Err(MarketError::AlreadyDecided { phase }),
        }
    }
}
