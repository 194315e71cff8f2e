//! Reads markets, their bets, positions and settlements; anyone may.

use foretell_domain::error::DomainError;
use foretell_domain::id::{BetId, MarketId};
use foretell_domain::market::{Bet, MarketError, Settlement};
use foretell_ports::market::{MarketDetails, MarketFilter, MarketSort, PositionRow};
use foretell_ports::page::{Page, PageRequest};

use crate::Application;
use crate::error::AppError;

impl Application {
    /// A page of markets.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        page: PageRequest,
    ) -> Result<Page<MarketDetails>, AppError> {
        Ok(self.ports.markets.page_markets(filter, sort, page).await?)
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
        page: PageRequest,
    ) -> Result<(MarketDetails, Page<Bet>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.ports.markets.page_bets(id, page).await?))
    }

    /// Who holds what in a market.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn list_positions(
        &self,
        id: MarketId,
        page: PageRequest,
    ) -> Result<(MarketDetails, Page<PositionRow>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.ports.markets.page_positions(id, page).await?))
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
