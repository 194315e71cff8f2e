//! Reads markets, their bets, positions and settlements; visible to everyone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foretell_domain::id::{BetId, MarketId, TransferId, UserId};
use foretell_domain::market::{Bet, Dispute, MarketError, MarketRevision, Resolution, Settlement};
use foretell_domain::policy;
use foretell_domain::user::User;
use foretell_ports::market::{Debt, MarketDetails, MarketFilter, MarketQueries, ProposalKey};
use foretell_ports::page::{Page, PageRequest, PageStart};

use super::Markets;
use crate::Caller;
use crate::error::AppError;
use crate::markets::market_cache::Render;

/// Maximum number of bets and sales embedded in a market: its newest.
pub const MAX_BETS_WITH_MARKET: u32 = 20;

/// Maximum number of disputes listed with a resolution: the first.
const MAX_DISPUTES: u32 = 100;

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

    /// Returns a market with a page of its resolutions, newest first, and the first disputes of each.
    ///
    /// # Errors
    /// As for the market itself.
    pub async fn list_resolutions(
        &self,
        id: MarketId,
        page: PageRequest<i64>,
    ) -> Result<(MarketDetails, Vec<Resolution>, Vec<Dispute>), AppError> {
        let market = self.get_market(id).await?;
        let resolutions = self.queries.list_resolutions(id, page).await?;
        let contested = resolutions.iter().filter(|resolution| resolution.dispute_count > 0);
        let numbers: Vec<_> = contested.map(|resolution| resolution.number).collect();
        let disputes = if numbers.is_empty() {
            Vec::new()
        } else {
            self.queries.list_disputes(id, &numbers, MAX_DISPUTES).await?
        };
        Ok((market, resolutions, disputes))
    }

    /// Returns the number of resolutions of a market: that of the newest one.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn count_resolutions(&self, id: MarketId) -> Result<i64, AppError> {
        let newest = PageRequest { start: PageStart::First, limit: 1 };
        let newest = self.queries.list_resolutions(id, newest).await?;
        Ok(newest.first().map_or(0, |newest| newest.number))
    }

    /// Returns a page of the proposals of all markets that wait, the first to take effect first,
    /// each with its market.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_proposals(
        &self,
        page: PageRequest<ProposalKey>,
    ) -> Result<Vec<(Resolution, MarketDetails)>, AppError> {
        let proposals = self.queries.list_proposals(page).await?;
        let ids: Vec<_> = proposals.iter().map(|proposal| proposal.market_id).collect();
        let markets = self.queries.find_markets(&ids).await?;
        let mut markets: HashMap<_, _> =
            markets.into_iter().map(|market| (market.market.id(), market)).collect();
        let with_market = |proposal: Resolution| {
            let market = markets.remove(&proposal.market_id)?;
            Some((proposal, market))
        };
        Ok(proposals.into_iter().filter_map(with_market).collect())
    }

    /// Returns a page of what accounts owe since settlements were undone, newest first. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `AdminsOnly`, [`AppError::Store`].
    pub async fn list_debts(
        &self,
        caller: &Caller,
        page: PageRequest<TransferId>,
    ) -> Result<Vec<Debt>, AppError> {
        policy::may_administer(caller.actor())?;
        Ok(self.queries.list_debts(page).await?)
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
