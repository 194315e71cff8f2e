//! Reads what a trader did and holds over all markets; for the trader alone.

use std::collections::{BTreeMap, BTreeSet};

use foretell_domain::id::MarketId;
use foretell_domain::market::{Bet, Phase, Settlement};
use foretell_ports::market::MarketDetails;
use foretell_ports::page::Stretch;
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

/// The markets of positions, and what is owed in those that are decided.
#[derive(Debug, Clone, Default)]
pub struct RelatedToPositions {
    /// The markets.
    pub markets: BTreeMap<MarketId, MarketDetails>,
    /// The settlements of those that are decided.
    pub settlements: BTreeMap<MarketId, Settlement>,
}

impl Application {
    /// A stretch of the caller's bets and sales over all markets, the newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_own_bets(
        &self,
        caller: &Caller,
        stretch: Stretch<BetKey>,
    ) -> Result<Vec<Bet>, AppError> {
        Ok(self.ports.markets.list_bets_of(caller.user.id, stretch).await?)
    }

    /// How many bets and sales that are.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_own_bets(&self, caller: &Caller) -> Result<i64, AppError> {
        Ok(self.ports.markets.count_bets_of(caller.user.id).await?)
    }

    /// A stretch of the caller's positions over all markets, the newest market first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_own_positions(
        &self,
        caller: &Caller,
        stretch: Stretch<HeldKey>,
    ) -> Result<Vec<HeldPosition>, AppError> {
        Ok(self.ports.markets.list_positions_of(caller.account_id, stretch).await?)
    }

    /// How many positions that are.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_own_positions(&self, caller: &Caller) -> Result<i64, AppError> {
        Ok(self.ports.markets.count_positions_of(caller.account_id).await?)
    }

    /// The markets that positions are in, as they are now, in one look-up for each sort of thing.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_positions(
        &self,
        positions: &[HeldPosition],
    ) -> Result<RelatedToPositions, AppError> {
        let ids: BTreeSet<_> = positions.iter().map(|held| held.market_id).collect();
        let found = self.ports.markets.find_markets(&ids.into_iter().collect::<Vec<_>>()).await?;
        let markets: BTreeMap<_, _> = found.into_iter().map(|market| (market.market.id(), market)).collect();
        let decided = |market: &&MarketDetails| {
            matches!(market.market.record().phase, Phase::Resolved | Phase::Cancelled)
        };
        let decided: Vec<_> = markets.values().filter(decided).map(|market| market.market.id()).collect();
        let settlements = match decided.as_slice() {
            [] => Vec::new(),
            decided => self.ports.markets.find_settlements(decided).await?,
        };
        let settlements = settlements.into_iter().map(|settlement| (settlement.market_id, settlement));
        Ok(RelatedToPositions { markets, settlements: settlements.collect() })
    }
}
