//! Reads a trader's bets and positions in all markets; visible to the trader only.

use std::collections::{BTreeMap, BTreeSet};

use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{Bet, Holding, Phase};
use foretell_domain::money::Balance;
use foretell_ports::market::{MarketDetails, WantedHolding};
use foretell_ports::page::PageRequest;
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};

use super::Trading;
use crate::Caller;
use crate::error::AppError;

/// Markets of positions, and payouts of the resolved ones.
#[derive(Debug, Clone, Default)]
pub struct RelatedToPositions {
    /// The markets.
    pub markets: BTreeMap<MarketId, MarketDetails>,
    /// Payout of each option of a resolved market; those of one market sum to the payment of its
    /// holder.
    pub payouts: BTreeMap<MarketId, Vec<Balance>>,
}

impl Trading {
    /// Returns a page of the caller's bets and sales in all markets, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_own_bets(
        &self,
        caller: &Caller,
        page: PageRequest<BetKey>,
    ) -> Result<Vec<Bet>, AppError> {
        Ok(self.markets.list_bets_of(caller.user.id, page).await?)
    }

    /// Returns the number of these bets and sales.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_own_bets(&self, caller: &Caller) -> Result<i64, AppError> {
        Ok(self.markets.count_bets_of(caller.user.id).await?)
    }

    /// Returns a page of the caller's positions in all markets, newest market first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_own_positions(
        &self,
        caller: &Caller,
        page: PageRequest<HeldKey>,
    ) -> Result<Vec<HeldPosition>, AppError> {
        Ok(self.markets.list_positions_of(caller.account_id, page).await?)
    }

    /// Returns the number of these positions.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_own_positions(&self, caller: &Caller) -> Result<i64, AppError> {
        Ok(self.markets.count_positions_of(caller.account_id).await?)
    }

    /// Returns the markets of the caller's positions, in their current state.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_positions(
        &self,
        caller: &Caller,
        positions: &[HeldPosition],
    ) -> Result<RelatedToPositions, AppError> {
        let ids: BTreeSet<_> = positions.iter().map(|held| held.market_id).collect();
        let found = self.markets.find_markets(&ids.into_iter().collect::<Vec<_>>()).await?;
        let markets: BTreeMap<_, _> =
            found.into_iter().map(|market| (market.market.id(), market)).collect();
        let is_resolved = |market: &&MarketDetails| market.market.record().phase == Phase::Resolved;
        let resolved: Vec<_> =
            markets.values().filter(is_resolved).map(|market| market.market.id()).collect();
        let payouts = match resolved.as_slice() {
            [] => BTreeMap::new(),
            resolved => self.payouts_of(caller.account_id, &markets, resolved).await?,
        };
        Ok(RelatedToPositions { markets, payouts })
    }

    /// Returns the payouts of an account in resolved markets, option by option. It needs all
    /// positions of a market: rounding is by holder.
    async fn payouts_of(
        &self,
        account_id: AccountId,
        markets: &BTreeMap<MarketId, MarketDetails>,
        resolved: &[MarketId],
    ) -> Result<BTreeMap<MarketId, Vec<Balance>>, AppError> {
        let queries = &self.markets;
        let wanted = |market_id: &MarketId| {
            let option_count = markets.get(market_id)?.market.record().options.len();
            Some(WantedHolding { market_id: *market_id, account_id, option_count })
        };
        let wanted: Vec<_> = resolved.iter().filter_map(wanted).collect();
        let holdings = queries.find_holdings(&wanted).await?;
        let settlements = queries.find_settlements(resolved).await?;
        let terms: BTreeMap<_, _> = settlements
            .into_iter()
            .map(|settlement| (settlement.market_id, settlement.terms))
            .collect();
        let parts = |holding: &Holding| {
            let parts = terms.get(&holding.market_id)?.payout_parts(holding)?;
            Some((holding.market_id, parts))
        };
        Ok(holdings.iter().filter_map(parts).collect())
    }
}
