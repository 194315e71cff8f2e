//! Reads markets, their bets, positions and settlements; anyone may.

use std::sync::Arc;

use foretell_domain::error::DomainError;
use foretell_domain::id::{BetId, MarketId};
use foretell_domain::market::{Bet, MarketError, Settlement};
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketFilter, MarketKey, MarketSort, PositionKey, PositionRow};
use foretell_ports::page::{Page, PageRequest, Stretch};

use crate::Application;
use crate::error::AppError;

impl Application {
    /// A stretch of the markets that a filter lets through.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        stretch: Stretch<MarketKey>,
    ) -> Result<Vec<MarketDetails>, AppError> {
        Ok(self.ports.markets.list_markets(filter, sort, stretch).await?)
    }

    /// How many markets a filter lets through: what other processes changed in the last seconds may be missing.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, AppError> {
        let count = self.ports.markets.count_markets(filter);
        let total = self.market_totals.get(filter, self.now(), count).await;
        // One error for all who waited for the count; they may try again.
        let own = |shared| StoreError::Unavailable(Box::new(shared));
        Ok(total.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(own))?)
    }

    /// The market with this id.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_market(&self, id: MarketId) -> Result<MarketDetails, AppError> {
        let found = self.ports.markets.find_market(id).await?;
        found.ok_or(DomainError::Market(MarketError::NotFound(id)).into())
    }

    /// The bet or sale with this id, or `None`.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn find_bet(&self, id: BetId) -> Result<Option<Bet>, AppError> {
        Ok(self.ports.markets.find_bet(id).await?)
    }

    /// The bets and sales of a market, newest first.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn list_bets(
        &self,
        id: MarketId,
        stretch: Stretch<i64>,
    ) -> Result<(MarketDetails, Page<Bet>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.ports.markets.page_bets(id, stretch).await?))
    }

    /// Who holds what in a market that is there, by option and then by shares, the most first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn page_positions(
        &self,
        id: MarketId,
        page: PageRequest,
    ) -> Result<Page<PositionRow>, AppError> {
        Ok(self.ports.markets.page_positions(id, page).await?)
    }

    /// The same by holder, at most `limit` positions after a place.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_positions(
        &self,
        id: MarketId,
        after: Option<PositionKey>,
        limit: u32,
    ) -> Result<Vec<PositionRow>, AppError> {
        Ok(self.ports.markets.list_positions(id, after, limit).await?)
    }

    /// How far the settlement of a market has come; `None` before its decision.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn find_settlement(
        &self,
        id: MarketId,
    ) -> Result<(MarketDetails, Option<Settlement>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.ports.markets.find_settlement(id).await?))
    }
}
