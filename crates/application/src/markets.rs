//! Markets: opening, reading, changing, deciding and settling them, and their event streams.

mod challenge_resolution;
mod close_ended_market;
mod delete_market;
mod edit_market;
mod manage_market;
pub(crate) mod market_cache;
pub(crate) mod market_feed;
pub(crate) mod open_market;
pub(crate) mod read_markets;
mod settle_markets;
pub(crate) mod settlement_runner;
pub(crate) mod stream_market_events;

use std::sync::Arc;

use foretell_ports::market::MarketQueries;
use foretell_ports::user::UserQueries;
use tokio::sync::watch;

use crate::context::Context;
use crate::ports::Ports;
use crate::settings::ApplicationSettings;
use crate::totals::{CountedMarkets, Totals};
use market_cache::MarketCache;
use market_feed::MarketFeed;

/// Markets, from their opening to their settlement.
pub struct Markets {
    context: Arc<Context>,
    settings: Arc<ApplicationSettings>,
    queries: Arc<dyn MarketQueries>,
    users: Arc<dyn UserQueries>,
    cache: Arc<MarketCache>,
    totals: Totals<CountedMarkets>,
    feed: Arc<MarketFeed>,
    /// `true` if the server is about to stop: all event streams end.
    closing: watch::Sender<bool>,
}

impl Markets {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        settings: &Arc<ApplicationSettings>,
        cache: &Arc<MarketCache>,
        feed: Arc<MarketFeed>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            settings: Arc::clone(settings),
            queries: Arc::clone(&ports.markets),
            users: Arc::clone(&ports.users),
            cache: Arc::clone(cache),
            totals: Totals::new(),
            feed,
            closing: watch::Sender::new(false),
        }
    }
}
