//! Streams the events of a market: its bets and sales in order, its revisions and its phases.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::id::MarketId;
use foretell_domain::market::{Bet, Phase};
use foretell_ports::market::MarketDetails;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Markets;
use crate::error::AppError;
use crate::markets::market_feed::{MarketUpdate, POLL_INTERVAL, WatchedMarket};

/// Id of a market event: the last bet or sale, 0 for none, the last phase and the last revision.
///
/// Trading ends before a market leaves the phase `open`, and its later phases have a fixed order,
/// so this is enough to resume without a gap. As text it is `17-open`, and `17-open-3` after the
/// first revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketEventId {
    /// Number of the last bet or sale.
    pub sequence: i64,
    /// Last phase.
    pub phase: Phase,
    /// Number of the last revision.
    pub revision: i64,
}

impl MarketEventId {
    /// Returns the id of the last event of a market.
    pub fn of(details: &MarketDetails) -> Self {
        let record = details.market.record();
        Self { sequence: record.bet_count, phase: record.phase, revision: record.revision }
    }

    /// Returns `true` if no event can follow.
    pub const fn is_last(self) -> bool {
        matches!(self.phase, Phase::Resolved | Phase::Cancelled)
    }
}

impl fmt::Display for MarketEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.phase.as_str())?;
        if self.revision == 1 { Ok(()) } else { write!(f, "-{}", self.revision) }
    }
}

/// The text is not an event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventIdError;

impl FromStr for MarketEventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (sequence, rest) = text.split_once('-').ok_or(EventIdError)?;
        let (phase, revision) = rest.split_once('-').unwrap_or((rest, "1"));
        let number = |text: &str, least: i64| {
            text.parse().ok().filter(|number| *number >= least).ok_or(EventIdError)
        };
        let phase = Phase::from_name(phase).ok_or(EventIdError)?;
        Ok(Self { sequence: number(sequence, 0)?, phase, revision: number(revision, 1)? })
    }
}

/// An event of a market.
#[derive(Debug, Clone)]
pub struct MarketEvent {
    /// Id, after which a stream can resume.
    pub id: MarketEventId,
    /// Data of the event.
    pub data: MarketEventData,
}

/// Data of an event.
#[derive(Debug, Clone)]
pub enum MarketEventData {
    /// A bet or sale.
    Trade(Arc<Bet>),
    /// The market with its new phase. Phases that passed between two reads are left out.
    Status(Arc<MarketDetails>),
    /// The market with its newest revision. Those that passed between two reads are left out.
    Revised(Arc<MarketDetails>),
    /// Bets and sales that are skipped because the client was too far behind.
    Gap {
        /// Number of the first one.
        first: i64,
        /// Number of the last one.
        last: i64,
    },
}

/// Result of waiting for events.
#[derive(Debug)]
pub enum StreamItem {
    /// The next events, at least one.
    Events(Vec<MarketEvent>),
    /// No event within the deadline.
    Idle,
    /// No event can follow.
    End,
}

/// A stream of the events of one market.
pub struct MarketEventStream {
    markets: Arc<Markets>,
    market: Arc<WatchedMarket>,
    changes: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    last_seen: Option<MarketEventId>,
}

impl Markets {
    /// Streams the events of a market after the last one seen; without one from now on, beginning
    /// with its status.
    pub fn stream_market_events(
        self: Arc<Self>,
        id: MarketId,
        last_seen: Option<MarketEventId>,
    ) -> MarketEventStream {
        let market = self.feed.watch(id);
        let (changes, closing) = (market.changes(), self.closing.subscribe());
        MarketEventStream { markets: self, market, changes, closing, last_seen }
    }

    /// Ends all streams, now and in the future: the server is about to stop.
    pub fn end_event_streams(&self) {
        self.closing.send_replace(true);
    }
}

impl MarketEventStream {
    /// Waits for the next events, at most for `timeout`. It is safe to drop the future and call it
    /// again: no event is lost.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn next(&mut self, timeout: Duration) -> Result<StreamItem, AppError> {
        let deadline = Instant::now() + timeout;
        loop {
            if *self.closing.borrow() {
                return Ok(StreamItem::End);
            }
            // Marked before reading, so that a change during the read causes another read.
            self.changes.mark_unchanged();
            let sequence = self.last_seen.map_or(i64::MAX, |last_seen| last_seen.sequence);
            let markets = &*self.markets.queries;
            let Some(update) = self.market.updates_after(sequence, markets).await? else {
                return Ok(StreamItem::End);
            };
            let end = update.end;
            let events = self.events(update);
            if let Some(last) = events.last() {
                self.last_seen = Some(last.id);
                return Ok(StreamItem::Events(events));
            }
            if self.last_seen.is_some_and(MarketEventId::is_last) {
                return Ok(StreamItem::End);
            }
            // The bets that were read are all unreadable: skip them.
            if let Some(last_seen) = &mut self.last_seen
                && last_seen.sequence < end
            {
                last_seen.sequence = end;
                continue;
            }
            if Instant::now() >= deadline {
                return Ok(StreamItem::Idle);
            }
            let next_look = deadline.min(Instant::now() + POLL_INTERVAL);
            tokio::select! {
                _ = timeout_at(next_look, self.changes.changed()) => {}
                _ = self.closing.wait_for(|is_closing| *is_closing) => {}
            }
        }
    }

    fn events(
        &self,
        MarketUpdate { details, bets, skipped_until, .. }: MarketUpdate,
    ) -> Vec<MarketEvent> {
        let latest = MarketEventId::of(&details);
        let Some(seen) = self.last_seen else {
            return vec![MarketEvent { id: latest, data: MarketEventData::Status(details) }];
        };
        if let Some(last) = skipped_until {
            let id = MarketEventId { sequence: last, ..seen };
            return vec![MarketEvent {
                id,
                data: MarketEventData::Gap { first: seen.sequence + 1, last },
            }];
        }
        if bets.is_empty() && seen.revision != latest.revision {
            let id = MarketEventId { revision: latest.revision, ..seen };
            return vec![MarketEvent { id, data: MarketEventData::Revised(details) }];
        }
        if bets.is_empty() && seen.phase != latest.phase {
            return vec![MarketEvent { id: latest, data: MarketEventData::Status(details) }];
        }
        let event = |bet: Arc<Bet>| MarketEvent {
            id: MarketEventId { sequence: bet.fill.sequence, ..seen },
            data: MarketEventData::Trade(bet),
        };
        bets.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_round_trip() {
        for (sequence, phase, revision, text) in [
            (0, Phase::Open, 1, "0-open"),
            (17, Phase::Cancelled, 1, "17-cancelled"),
            (17, Phase::Open, 3, "17-open-3"),
        ] {
            let id = MarketEventId { sequence, phase, revision };
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id));
        }
        for text in [
            "",
            "17",
            "-1-open",
            "17-",
            "17-opened",
            "x-open",
            "17 -open",
            "17-open-0",
            "17-open-x",
        ] {
            assert_eq!(text.parse::<MarketEventId>(), Err(EventIdError), "{text}");
        }
    }
}
