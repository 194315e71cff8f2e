//! Follows a market: its bets and sales in their order, and its statuses.

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

/// How far a follower has come: the last bet or sale seen, 0 for none, and the last status.
///
/// Trades end before a market leaves the phase `open`, and its later phases follow in one order, so this is all
/// that it takes to go on without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketPosition {
    /// The number of the last bet or sale.
    pub sequence: i64,
    /// The last status.
    pub phase: Phase,
}

impl MarketPosition {
    /// Where a market stands.
    pub fn of(details: &MarketDetails) -> Self {
        let record = details.market.record();
        Self { sequence: record.bet_count, phase: record.phase }
    }

    /// Whether nothing comes after this position of a market.
    pub const fn is_last(self) -> bool {
        matches!(self.phase, Phase::Resolved | Phase::Cancelled)
    }
}

impl fmt::Display for MarketPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.phase.as_str())
    }
}

/// A text that is no position.
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

/// Something that happened in a market, and how far a follower has come with it.
#[derive(Debug, Clone)]
pub struct MarketEvent {
    /// Where to go on after it.
    pub position: MarketPosition,
    /// What happened.
    pub news: MarketNews,
}

/// What happened in a market.
#[derive(Debug, Clone)]
pub enum MarketNews {
    /// A bet or sale.
    Trade(Arc<Bet>),
    /// The market with its latest status. One that it passed through while nobody looked is left out.
    Status(Arc<MarketDetails>),
    /// Bets and sales that are not sent because the follower was too far behind.
    Gap {
        /// The number of the first one.
        first: i64,
        /// The number of the last one.
        last: i64,
    },
}

/// What a follower is told.
#[derive(Debug)]
pub enum Told {
    /// The next events, at least one.
    Events(Vec<MarketEvent>),
    /// Nothing has happened.
    Nothing,
    /// Nothing will happen any more.
    End,
}

/// One who follows a market.
pub struct MarketFollower {
    application: Arc<Application>,
    market: Arc<FollowedMarket>,
    changes: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    position: Option<MarketPosition>,
}

impl Application {
    /// Follows a market that is there from a position on; without one from now on, beginning with its status.
    pub fn follow_market(self: Arc<Self>, id: MarketId, position: Option<MarketPosition>) -> MarketFollower {
        let market = self.market_feed.follow(id);
        let (changes, closing) = (market.changes(), self.closing.subscribe());
        MarketFollower { application: self, market, changes, closing, position }
    }

    /// Ends the following of markets, now and from now on: the server is about to stop.
    pub fn end_following(&self) {
        self.closing.send_replace(true);
    }
}

impl MarketFollower {
    /// What happens next, within `patience`. Given up in the middle, it has told nothing and can be called again.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn next(&mut self, patience: Duration) -> Result<Told, AppError> {
        let deadline = Instant::now() + patience;
        loop {
            if *self.closing.borrow() {
                return Ok(Told::End);
            }
            // Before looking, so that what happens meanwhile is looked at again.
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
            // What was looked at could not be read.
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
