//! Streams the events of a market: its bets and sales in order, and its phases.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::id::MarketId;
use foretell_domain::market::{Bet, Phase};
use foretell_ports::market::MarketDetails;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::Application;
use crate::error::AppError;
use crate::market_feed::{FollowedMarket, LOOK_AGAIN, News};

/// Position in the events of a market: the last bet or sale, 0 for none, and the last phase.
///
/// Trading ends before a market leaves the phase `open`, and its later phases have a fixed order,
/// so this is enough to resume without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketPosition {
    /// Number of the last bet or sale.
    pub sequence: i64,
    /// Last phase.
    pub phase: Phase,
}

impl MarketPosition {
    /// Returns the position of a market's current state.
    pub fn of(details: &MarketDetails) -> Self {
        let record = details.market.record();
        Self { sequence: record.bet_count, phase: record.phase }
    }

    /// Returns `true` if no event can follow.
    pub const fn is_last(self) -> bool {
        matches!(self.phase, Phase::Resolved | Phase::Cancelled)
    }
}

impl fmt::Display for MarketPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.phase.as_str())
    }
}

/// The text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionError;

impl FromStr for MarketPosition {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (sequence, phase) = text.split_once('-').ok_or(PositionError)?;
        let sequence = sequence.parse().ok().filter(|sequence| *sequence >= 0).ok_or(PositionError)?;
        Ok(Self { sequence, phase: Phase::from_name(phase).ok_or(PositionError)? })
    }
}

/// An event of a market, with the position after it.
#[derive(Debug, Clone)]
pub struct MarketEvent {
    /// Position after the event.
    pub position: MarketPosition,
    /// The event.
    pub news: MarketNews,
}

/// Kind of an event.
#[derive(Debug, Clone)]
pub enum MarketNews {
    /// A bet or sale.
    Trade(Arc<Bet>),
    /// The market with its new phase. Phases that passed between two reads are left out.
    Status(Arc<MarketDetails>),
    /// Bets and sales that are skipped because the follower was too far behind.
    Gap {
        /// Number of the first one.
        first: i64,
        /// Number of the last one.
        last: i64,
    },
}

/// Result of waiting for events.
#[derive(Debug)]
pub enum Told {
    /// The next events, at least one.
    Events(Vec<MarketEvent>),
    /// No event within the deadline.
    Nothing,
    /// No event can follow.
    End,
}

/// A follower of one market.
pub struct MarketFollower {
    application: Arc<Application>,
    market: Arc<FollowedMarket>,
    changes: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    position: Option<MarketPosition>,
}

impl Application {
    /// Follows an existing market from a position; `None` starts now, with the current phase.
    pub fn follow_market(self: Arc<Self>, id: MarketId, position: Option<MarketPosition>) -> MarketFollower {
        let market = self.market_feed.follow(id);
        let (changes, closing) = (market.changes(), self.closing.subscribe());
        MarketFollower { application: self, market, changes, closing, position }
    }

    /// Ends all streams, now and in the future: the server is about to stop.
    pub fn end_following(&self) {
        self.closing.send_replace(true);
    }
}

impl MarketFollower {
    /// Waits for the next events, at most for `patience`. It is safe to drop the future and call it
    /// again: no event is lost.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn next(&mut self, timeout: Duration) -> Result<Told, AppError> {
        let deadline = Instant::now() + timeout;
        loop {
            if *self.closing.borrow() {
                return Ok(Told::End);
            }
            // Marked before reading, so that a change during the read causes another read.
            self.changes.mark_unchanged();
            let sequence = self.position.map_or(i64::MAX, |position| position.sequence);
            let markets = &*self.application.ports.markets;
            let Some(news) = self.market.news_after(sequence, markets).await? else { return Ok(Told::End) };
            let end = news.end;
            let events = self.events(news);
            if let Some(last) = events.last() {
                self.position = Some(last.position);
                return Ok(Told::Events(events));
            }
            if self.position.is_some_and(MarketPosition::is_last) {
                return Ok(Told::End);
            }
            // The bets that were read are all unreadable: skip them.
            if let Some(position) = &mut self.position
                && position.sequence < end
            {
                position.sequence = end;
                continue;
            }
            if Instant::now() >= deadline {
                return Ok(Told::Nothing);
            }
            let next_look = deadline.min(Instant::now() + LOOK_AGAIN);
            tokio::select! {
                _ = timeout_at(next_look, self.changes.changed()) => {}
                _ = self.closing.wait_for(|is_closing| *is_closing) => {}
            }
        }
    }

    fn events(&self, News { details, bets, skipped_until, .. }: News) -> Vec<MarketEvent> {
        let latest = MarketPosition::of(&details);
        let Some(seen) = self.position else {
            return vec![MarketEvent { position: latest, news: MarketNews::Status(details) }];
        };
        if let Some(last) = skipped_until {
            let position = MarketPosition { sequence: last, phase: seen.phase };
            return vec![MarketEvent { position, news: MarketNews::Gap { first: seen.sequence + 1, last } }];
        }
        if bets.is_empty() && seen.phase != latest.phase {
            return vec![MarketEvent { position: latest, news: MarketNews::Status(details) }];
        }
        let event = |bet: Arc<Bet>| MarketEvent {
            position: MarketPosition { sequence: bet.fill.sequence, phase: seen.phase },
            news: MarketNews::Trade(bet),
        };
        bets.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_back() {
        for (sequence, phase, text) in [(0, Phase::Open, "0-open"), (17, Phase::Cancelled, "17-cancelled")] {
            let position = MarketPosition { sequence, phase };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse(), Ok(position));
        }
        for text in ["", "17", "-1-open", "17-", "17-opened", "x-open", "17 -open"] {
            assert_eq!(text.parse::<MarketPosition>(), Err(PositionError), "{text}");
        }
    }
}
