//! Reads what a trader did and holds over all markets; for the trader alone.

use std::collections::{BTreeMap, BTreeSet};

use foretell_domain::id::{AccountId, MarketId};
use foretell_domain::market::{Bet, Holding, Phase};
use foretell_domain::money::Balance;
use foretell_ports::market::{MarketDetails, WantedHolding};
use foretell_ports::page::Stretch;
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

/// The markets of positions, and the payouts of those that are resolved.
#[derive(Debug, Clone, Default)]
pub struct RelatedToPositions {
    /// The markets.
    pub markets: BTreeMap<MarketId, MarketDetails>,
    /// The payout of each option of a resolved market; those of one market sum to what its holder is paid.
    pub payouts: BTreeMap<MarketId, Vec<Balance>>,
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

    /// The markets that the caller's positions are in, as they are now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_positions(
        &self,
        caller: &Caller,
        positions: &[HeldPosition],
    ) -> Result<RelatedToPositions, AppError> {
        let ids: BTreeSet<_> = positions.iter().map(|held| held.market_id).collect();
        let found = self.ports.markets.find_markets(&ids.into_iter().collect::<Vec<_>>()).await?;
        let markets: BTreeMap<_, _> = found.into_iter().map(|market| (market.market.id(), market)).collect();
        let is_resolved = |market: &&MarketDetails| market.market.record().phase == Phase::Resolved;
        let resolved: Vec<_> =
            markets.values().filter(is_resolved).map(|market| market.market.id()).collect();
        let payouts = match resolved.as_slice() {
            [] => BTreeMap::new(),
            resolved => self.payouts_of(caller.account_id, &markets, resolved).await?,
        };
        Ok(RelatedToPositions { markets, payouts })
    }

    /// The payouts of an account in resolved markets, option by option. The account's other positions in a
    /// market count too: rounding is by holder.
    async fn payouts_of(
        &self,
        account_id: AccountId,
        markets: &BTreeMap<MarketId, MarketDetails>,
        resolved: &[MarketId],
    ) -> Result<BTreeMap<MarketId, Vec<Balance>>, AppError> {
        let queries = &self.ports.markets;
        let wanted = |market_id: &MarketId| {
            let option_count = markets.get(market_id)?.market.record().options.len();
            Some(WantedHolding { market_id: *market_id, account_id, option_count })
        };
        let wanted: Vec<_> = resolved.iter().filter_map(wanted).collect();
        let holdings = queries.find_holdings(&wanted).await?;
        let settlements = queries.find_settlements(resolved).await?;
        let terms: BTreeMap<_, _> =
            settlements.into_iter().map(|settlement| (settlement.market_id, settlement.terms)).collect();
        let parts = |holding: &Holding| {
            let parts = terms.get(&holding.market_id)?.payout_parts(holding)?;
            Some((holding.market_id, parts))
        };
        Ok(holdings.iter().filter_map(parts).collect())
    }
}
