//! Reads markets, their bets, positions and settlements; visible to everyone.

use std::collections::BTreeMap;
use std::sync::Arc;

use foretell_domain::id::{BetId, MarketId, UserId};
use foretell_domain::market::{Bet, MarketError, MarketRevision, Settlement};
use foretell_domain::user::User;
use foretell_ports::market::{MarketDetails, MarketFilter, MarketQueries};
use foretell_ports::page::{Page, PageRequest};

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::markets::market_cache::Render;

/// Maximum number of bets and sales embedded in a market: its newest.
pub const MAX_BETS_WITH_MARKET: u32 = 20;

/// Resources that can be embedded in markets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarketRelation {
    /// Their creators.
    Creator,
    /// Their newest bets and sales.
    Bets,
}

/// Resources embedded in markets; `None` was not requested.
#[derive(Debug, Clone, Default)]
pub struct RelatedToMarkets {
    /// The creators.
    pub creators: Option<BTreeMap<UserId, User>>,
    /// Newest bets and sales of each market that has any, newest first.
    pub bets: Option<BTreeMap<MarketId, Vec<Bet>>>,
}

impl Markets {
    /// Returns resources related to markets, with one query for each kind.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn relate_to_markets(
        &self,
        markets: &[MarketDetails],
        wanted: &[MarketRelation],
    ) -> Result<RelatedToMarkets, AppError> {
        let mut related = RelatedToMarkets::default();
        if wanted.contains(&MarketRelation::Creator) {
            let ids: Vec<_> =
                markets.iter().map(|details| details.market.record().creator_id).collect();
            let users = self.users.find_users(&ids).await?;
            related.creators = Some(users.into_iter().map(|user| (user.id, user)).collect());
        }
        if wanted.contains(&MarketRelation::Bets) {
            let ids: Vec<_> = markets.iter().map(|details| details.market.id()).collect();
            let mut by_market: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for bet in self.queries.list_newest_bets(&ids, MAX_BETS_WITH_MARKET).await? {
                by_market.entry(bet.market_id).or_default().push(bet);
            }
            related.bets = Some(by_market);
        }
        Ok(related)
    }

    /// Returns the number of markets that match a filter: changes by other processes in the last
    /// seconds may be missing.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, AppError> {
        let count = self.queries.count_markets(filter);
        Ok(self.totals.get(filter.into(), self.context.now(), count).await?)
    }

    /// Returns the market with this id.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
    pub async fn get_market(&self, id: MarketId) -> Result<MarketDetails, AppError> {
        get_market(&*self.queries, id).await
    }

    /// Returns the market with this id as rendered by `render`, possibly from the cache: never
    /// older than a change acknowledged by this process, and older than a change by another one by
    /// at most the trusted time.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn show_market(&self, id: MarketId, render: Render) -> Result<Arc<[u8]>, AppError> {
        let now = self.context.now();
        if let Some(page) = self.cache.peek(id, now) {
            return Ok(page);
        }
        self.cache.get(id, now, |details| render(details, now, &self.settings)).await
    }

    /// Returns the bet or sale that the caller made under this client id, or else the one with this
    /// id.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn find_bet(
        &self,
        caller: Option<&Caller>,
        id: BetId,
    ) -> Result<Option<Bet>, AppError> {
        Ok(self.queries.find_bet(id, caller.map(|caller| caller.account_id)).await?)
    }

    /// Returns the bets and sales of a market, newest first.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn list_bets(
        &self,
        id: MarketId,
        page: PageRequest<i64>,
    ) -> Result<(MarketDetails, Page<Bet>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.queries.page_bets(id, page).await?))
    }

    /// Returns a page of the revisions of a market, newest first.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn list_revisions(
        &self,
        id: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Page<MarketRevision>, AppError> {
        let total = self.get_market(id).await?.market.record().revision;
        Ok(Page { rows: self.queries.list_revisions(id, page).await?, total })
    }

    /// Returns the settlement of a market; `None` before its resolution or cancellation.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn find_settlement(
        &self,
        id: MarketId,
    ) -> Result<(MarketDetails, Option<Settlement>), AppError> {
        let market = self.get_market(id).await?;
        Ok((market, self.queries.find_settlement(id).await?))
    }
}

/// Returns the market with this id.
///
/// # Errors
/// [`AppError::Refused`] with `NotFound`, [`AppError::Store`].
pub(crate) async fn get_market(
    markets: &dyn MarketQueries,
    id: MarketId,
) -> Result<MarketDetails, AppError> {
    let found = markets.find_market(id).await?;
    found.ok_or(MarketError::NotFound(id).into())
}
