//! Markets, bets, positions and settlements: the ports, and their statements in the modules below.

pub(crate) mod bet_rows;
pub(crate) mod bets;
pub(crate) mod market_details;
pub(crate) mod market_lists;
pub(crate) mod market_rows;
pub(crate) mod markets;
pub(crate) mod portfolio;
pub(crate) mod position_rows;
pub(crate) mod positions;
pub(crate) mod prices;
pub(crate) mod resolution_rows;
pub(crate) mod resolutions;
pub(crate) mod revision_rows;
pub(crate) mod revisions;
pub(crate) mod settlement_rows;
pub(crate) mod settlements;

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, TransferId, UserId};
use foretell_domain::market::{
    Bet, Dispute, Holding, Market, MarketRevision, MarketTexts, Resolution, Settlement, Stakes,
};
use foretell_domain::probability::Probability;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::market::{
    Debt, MarketDetails, MarketFilter, MarketKey, MarketQueries, MarketSort, MarketTx, NewMarket,
    PaidSet, PositionKey, PositionRow, PricePoint, PriceWindow, ProposalKey, WantedHolding,
};
use foretell_ports::page::{NumberedPage, Page, PageRequest};
use foretell_ports::portfolio::{BetKey, HeldKey, HeldPosition};
use foretell_ports::unit::Locked;

use crate::connection::Connection;
use crate::dialect::searches::Searched;
use crate::id::db_ids;
use crate::ledger::transfers;
use crate::store::Store;
use crate::text_index::{self, NewText};
use crate::tx::UnitTx;

fn text_of(id: MarketId, texts: &MarketTexts) -> NewText<'_> {
    NewText { id: id.into(), title: texts.name.as_str(), body: texts.description.as_str() }
}

impl MarketTx for UnitTx<'_, '_> {
    fn insert_markets(&mut self, markets: &[NewMarket]) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            markets::insert(c, markets)?;
            let texts = markets.iter().map(|new| text_of(new.market.id(), &new.texts));
            text_index::put(c, index, Searched::Markets, &texts.collect::<Vec<_>>())
        })
    }

    fn lock_markets(
        &mut self,
        ids: &BTreeSet<MarketId>,
    ) -> Result<Vec<Locked<Market>>, StoreError> {
        self.step(|c| markets::lock(c, ids))
    }

    fn save_markets(
        &mut self,
        markets: &[&Locked<Market>],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(|c| markets::save(c, markets, at))
    }

    fn get_details(&mut self, market: &Locked<Market>) -> Result<MarketDetails, StoreError> {
        self.step(|c| market_details::get(c, market.id()))
    }

    fn save_market_texts(
        &mut self,
        market: &Locked<Market>,
        texts: &MarketTexts,
    ) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            markets::save_market_texts(c, market, texts)?;
            text_index::put(c, index, Searched::Markets, &[text_of(market.id(), texts)])
        })
    }

    fn insert_revisions(&mut self, revisions: &[MarketRevision]) -> Result<(), StoreError> {
        self.step(|c| revisions::insert(c, revisions))
    }

    fn first_end_date(&mut self, market: &Locked<Market>) -> Result<Timestamp, StoreError> {
        self.step(|c| revisions::first_end_date(c, market))
    }

    fn find_stakes(
        &mut self,
        market: &Locked<Market>,
        actor: UserId,
    ) -> Result<Stakes, StoreError> {
        self.step(|c| positions::find_stakes(c, market, actor))
    }

    fn delete_markets(&mut self, markets: Vec<Locked<Market>>) -> Result<(), StoreError> {
        self.indexed_step(|c, index| {
            let ids = db_ids(markets.iter().map(|market| market.id()));
            // First: the deletion of a market cascades to `market_texts`, by which its index is
            // found.
            text_index::remove(c, index, Searched::Markets, &ids)?;
            markets.iter().try_for_each(|market| markets::delete(c, market))
        })
    }

    fn find_holdings(&mut self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError> {
        self.step(|c| positions::find_holdings(c, wanted))
    }

    fn save_positions(&mut self, positions: &[(&Holding, usize)]) -> Result<(), StoreError> {
        self.step(|c| positions::save(c, positions))
    }

    fn list_holdings_after(
        &mut self,
        market: &Locked<Market>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Holding>, StoreError> {
        self.step(|c| positions::list_holdings_after(c, market, after, limit))
    }

    fn find_bets(&mut self, ids: &[BetId]) -> Result<Vec<Bet>, StoreError> {
        self.step(|c| bets::find_all(c, ids))
    }

    fn find_traded_as(
        &mut self,
        names: &[(AccountId, ClientId)],
    ) -> Result<Vec<(AccountId, ClientId)>, StoreError> {
        self.step(|c| bets::find_traded_as(c, names))
    }

    fn insert_bets(&mut self, bets: &[Bet]) -> Result<(), StoreError> {
        self.step(|c| bets::insert(c, bets))
    }

    fn insert_settlement(&mut self, settlement: &Settlement) -> Result<(), StoreError> {
        self.step(|c| settlements::insert(c, settlement))
    }

    fn lock_settlement(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Locked<Settlement>>, StoreError> {
        // The lock on the market covers its settlement.
        self.step(|c| Ok(settlements::find(c, market.id())?.map(Locked::assume)))
    }

    fn save_settlement(&mut self, settlement: &Locked<Settlement>) -> Result<(), StoreError> {
        self.step(|c| settlements::save(c, settlement))
    }

    fn insert_payouts(&mut self, set: &PaidSet) -> Result<(), StoreError> {
        self.step(|c| settlements::insert_payouts(c, set))
    }

    fn list_payments_before(
        &mut self,
        market: &Locked<Market>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Transfer>, StoreError> {
        let pot = AccountId::of_market(market.id());
        self.step(|c| transfers::list_payments_before(c, pot, before, limit))
    }

    fn delete_payouts(
        &mut self,
        market: &Locked<Market>,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        self.step(|c| settlements::delete_payouts(c, market.id(), accounts))
    }

    fn delete_settlement(&mut self, settlement: Locked<Settlement>) -> Result<(), StoreError> {
        self.step(|c| settlements::delete(c, settlement.market_id))
    }

    fn insert_debts(&mut self, debts: &[Debt]) -> Result<(), StoreError> {
        self.step(|c| settlements::insert_debts(c, debts))
    }

    fn find_newest_resolution(
        &mut self,
        market: &Locked<Market>,
    ) -> Result<Option<Resolution>, StoreError> {
        self.step(|c| resolutions::find_newest(c, market.id()))
    }

    fn save_resolutions(&mut self, resolutions: &[&Resolution]) -> Result<(), StoreError> {
        self.step(|c| {
            resolutions.iter().try_for_each(|resolution| resolutions::save(c, resolution))
        })
    }

    fn insert_dispute(&mut self, dispute: &Dispute) -> Result<bool, StoreError> {
        self.step(|c| resolutions::insert_dispute(c, dispute))
    }
}

#[async_trait]
impl MarketQueries for Store {
    async fn find_market(&self, id: MarketId) -> Result<Option<MarketDetails>, StoreError> {
        self.read("find_market", move |c| market_details::find(c, id)).await
    }

    async fn find_market_version(&self, id: MarketId) -> Result<Option<i64>, StoreError> {
        self.read("find_market_version", move |c| market_details::find_version(c, id)).await
    }

    async fn find_markets(&self, ids: &[MarketId]) -> Result<Vec<MarketDetails>, StoreError> {
        let ids = db_ids(ids.iter().copied());
        self.read("find_markets", move |c| market_details::find_readable(c, &ids)).await
    }

    async fn list_markets(
        &self,
        filter: &MarketFilter,
        sort: MarketSort,
        page: PageRequest<MarketKey>,
    ) -> Result<Vec<MarketDetails>, StoreError> {
        let filter = filter.clone();
        self.read("list_markets", move |c| market_lists::list(c, &filter, sort, page)).await
    }

    async fn count_markets(&self, filter: &MarketFilter) -> Result<i64, StoreError> {
        let filter = filter.clone();
        self.read("count_markets", move |c| market_lists::count(c, &filter)).await
    }

    async fn list_revisions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<MarketRevision>, StoreError> {
        self.read("list_revisions", move |c| revisions::list(c, market, page)).await
    }

    async fn list_resolutions(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Vec<Resolution>, StoreError> {
        self.read("list_resolutions", move |c| resolutions::list(c, market, page)).await
    }

    async fn list_disputes(
        &self,
        market: MarketId,
        numbers: &[i64],
        limit: u32,
    ) -> Result<Vec<Dispute>, StoreError> {
        let numbers = numbers.to_vec();
        let list =
            move |c: &mut Connection<'_>| resolutions::list_disputes(c, market, &numbers, limit);
        self.read("list_disputes", list).await
    }

    async fn list_due_proposals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        self.read("list_due_proposals", move |c| resolutions::list_due(c, now, limit)).await
    }

    async fn list_proposals(
        &self,
        page: PageRequest<ProposalKey>,
    ) -> Result<Vec<Resolution>, StoreError> {
        self.read("list_proposals", move |c| resolutions::list_proposals(c, page)).await
    }

    async fn list_debts(&self, page: PageRequest<TransferId>) -> Result<Vec<Debt>, StoreError> {
        self.read("list_debts", move |c| settlements::list_debts(c, page)).await
    }

    async fn count_proposals(&self) -> Result<i64, StoreError> {
        self.read("count_proposals", resolutions::count_proposals).await
    }

    async fn count_debts(&self) -> Result<i64, StoreError> {
        self.read("count_debts", settlements::count_debts).await
    }

    async fn find_bet(
        &self,
        id: BetId,
        trader: Option<AccountId>,
    ) -> Result<Option<Bet>, StoreError> {
        self.read("find_bet", move |c| bets::find(c, id, trader)).await
    }

    async fn page_bets(
        &self,
        market: MarketId,
        page: PageRequest<i64>,
    ) -> Result<Page<Bet>, StoreError> {
        self.read("page_bets", move |c| bets::page(c, market, page)).await
    }

    async fn list_newest_bets(
        &self,
        markets: &[MarketId],
        limit: u32,
    ) -> Result<Vec<Bet>, StoreError> {
        let markets = markets.to_vec();
        self.read("list_newest_bets", move |c| bets::list_newest(c, &markets, limit)).await
    }

    async fn page_positions(
        &self,
        market: MarketId,
        page: NumberedPage,
    ) -> Result<Page<PositionRow>, StoreError> {
        self.read("page_positions", move |c| positions::page(c, market, page)).await
    }

    async fn list_positions(
        &self,
        market: MarketId,
        after: Option<PositionKey>,
        limit: u32,
    ) -> Result<Vec<PositionRow>, StoreError> {
        self.read("list_positions", move |c| positions::list(c, market, after, limit)).await
    }

    async fn list_bets_of(
        &self,
        user: UserId,
        page: PageRequest<BetKey>,
    ) -> Result<Vec<Bet>, StoreError> {
        self.read("list_bets_of", move |c| portfolio::list_bets(c, user, page)).await
    }

    async fn count_bets_of(&self, user: UserId) -> Result<i64, StoreError> {
        self.read("count_bets_of", move |c| portfolio::count_bets(c, user)).await
    }

    async fn find_holdings(&self, wanted: &[WantedHolding]) -> Result<Vec<Holding>, StoreError> {
        let wanted = wanted.to_vec();
        self.read("find_holdings", move |c| positions::find_holdings(c, &wanted)).await
    }

    async fn list_positions_of(
        &self,
        account: AccountId,
        page: PageRequest<HeldKey>,
    ) -> Result<Vec<HeldPosition>, StoreError> {
        self.read("list_positions_of", move |c| portfolio::list_positions(c, account, page)).await
    }

    async fn count_positions_of(&self, account: AccountId) -> Result<i64, StoreError> {
        self.read("count_positions_of", move |c| portfolio::count_positions(c, account)).await
    }

    async fn find_prices_before(
        &self,
        market: MarketId,
        before: Timestamp,
    ) -> Result<Option<Vec<Probability>>, StoreError> {
        self.read("find_prices_before", move |c| bets::find_prices_before(c, market, before)).await
    }

    async fn list_prices(
        &self,
        window: PriceWindow,
        after_sequence: i64,
        limit: u32,
    ) -> Result<Vec<(i64, PricePoint)>, StoreError> {
        self.read("list_prices", move |c| bets::list_prices(c, window, after_sequence, limit)).await
    }

    async fn find_settlement(&self, market: MarketId) -> Result<Option<Settlement>, StoreError> {
        self.read("find_settlement", move |c| settlements::find(c, market)).await
    }

    async fn find_settlements(&self, markets: &[MarketId]) -> Result<Vec<Settlement>, StoreError> {
        let markets = db_ids(markets.iter().copied());
        self.read("find_settlements", move |c| settlements::find_all(c, &markets)).await
    }

    async fn list_unsettled(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        self.read("list_unsettled", move |c| settlements::list_unsettled(c, after, limit)).await
    }
}
