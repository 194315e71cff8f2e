//! Bets and sales, quotes, portfolios, price histories and leaderboards.

pub(crate) mod get_leaderboard;
pub(crate) mod get_price_history;
pub(crate) mod leaderboards;
pub(crate) mod quote_order;
pub(crate) mod read_portfolio;
pub(crate) mod trade_shares;

use std::sync::Arc;

use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::user::UserQueries;

use crate::context::Context;
use crate::markets::market_cache::MarketCache;
use crate::ports::Ports;
use leaderboards::Leaderboards;

/// Bets and sales, and what traders see of them.
pub struct Trading {
    context: Arc<Context>,
    ledger: Arc<dyn LedgerQueries>,
    markets: Arc<dyn MarketQueries>,
    users: Arc<dyn UserQueries>,
    market_cache: Arc<MarketCache>,
    leaderboards: Leaderboards,
}

impl Trading {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        market_cache: &Arc<MarketCache>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            ledger: Arc::clone(&ports.ledger),
            markets: Arc::clone(&ports.markets),
            users: Arc::clone(&ports.users),
            market_cache: Arc::clone(market_cache),
            leaderboards: Leaderboards::new(),
        }
    }
}
